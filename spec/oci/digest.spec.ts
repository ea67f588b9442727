import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { OciPloneError } from '../../src/errors.ts';
import { digestAlgorithm, digestHex, isDigest, parseDigest } from '../../src/oci/digest.ts';
import { digestOf, matchesDigest } from '../../src/oci/document-digest.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const LONG: `sha512:${string}` = `sha512:${'0a'.repeat(64)}`;

describe('digests', () => {
  it('are sha256 or sha512 in lower-case hex, and nothing around it', () => {
    assert.ok(isDigest(EMPTY));
    assert.ok(isDigest(LONG));
    const hex = EMPTY.slice(7);
    for (const text of [
      hex,
      '',
      'sha256:',
      `sha256:${hex.slice(1)}`,
      `${EMPTY}0`,
      `${EMPTY}\n`,
      `\n${EMPTY}`,
      ` ${EMPTY}`,
      EMPTY.toUpperCase(),
      `sha256:${hex.toUpperCase()}`,
      `sha256:${hex.replace('e', '/')}`,
      `sha256:${hex.replace('e', '.')}`,
      `sha256-${hex}`,
      `SHA256:${hex}`,
      `sha512:${hex}`,
      `sha256:${LONG.slice(7)}`,
      `md5:${'0'.repeat(32)}`,
      `sha256:../../../${hex.slice(9)}`,
    ])
      assert.ok(!isDigest(text), text);
  });

  it('that come from outside are checked', () => {
    assert.equal(parseDigest(EMPTY, 'x'), EMPTY);
    for (const value of [undefined, null, 7, {}, [EMPTY], 'sha256:x'])
      assert.throws(
        () => parseDigest(value, 'layer 3'),
        (error) =>
          error instanceof OciPloneError && error.code === 'INPUT_MALFORMED' && error.message.startsWith('layer 3:'),
      );
  });

  it('have two parts', () => {
    assert.equal(digestHex(LONG), '0a'.repeat(64));
    assert.equal(digestAlgorithm(LONG), 'sha512');
    assert.equal(digestAlgorithm(EMPTY), 'sha256');
  });

  it('are those of node:crypto', () => {
    assert.equal(digestOf(new Uint8Array()), EMPTY);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const hex = (algorithm: string): string => createHash(algorithm).update(bytes).digest('hex');
        assert.equal(digestOf(bytes), `sha256:${hex('sha256')}`);
        assert.ok(matchesDigest(bytes, `sha256:${hex('sha256')}`));
        assert.ok(matchesDigest(bytes, `sha512:${hex('sha512')}`));
        assert.ok(!matchesDigest(bytes, LONG));
        assert.ok(!matchesDigest(Buffer.concat([bytes, Buffer.of(0)]), `sha256:${hex('sha256')}`));
      }),
    );
  });
});
