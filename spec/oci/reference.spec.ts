import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import { formatReference, isTag, parseReference } from '../../src/oci/reference.ts';

const HEX = 'c0ffee'.repeat(11).slice(0, 64);
const DIGEST = `sha256:${HEX}`;

describe('parseReference', () => {
  const table: readonly (readonly [string, string, string, string | null, string | null])[] = [
    ['plone', 'docker.io', 'library/plone', 'latest', null],
    ['plone:6', 'docker.io', 'library/plone', '6', null],
    ['team/plone', 'docker.io', 'team/plone', 'latest', null],
    ['docker.io/plone', 'docker.io', 'library/plone', 'latest', null],
    ['index.docker.io/team/plone', 'docker.io', 'team/plone', 'latest', null],
    // A port would be one, were there a path behind it.
    ['localhost:5000', 'docker.io', 'library/localhost', '5000', null],
    ['localhost/plone', 'localhost', 'plone', 'latest', null],
    ['localhost:5000/plone', 'localhost:5000', 'plone', 'latest', null],
    ['127.0.0.1:5000/a/b/c:x', '127.0.0.1:5000', 'a/b/c', 'x', null],
    ['[::1]:5000/plone', '[::1]:5000', 'plone', 'latest', null],
    ['[2001:db8::1]/plone', '[2001:db8::1]', 'plone', 'latest', null],
    ['Registry/plone', 'Registry', 'plone', 'latest', null],
    ['registry/plone', 'docker.io', 'registry/plone', 'latest', null],
    ['example.org/a-b/c_d/e__f/g---h/i.j:V1.0-rc_1', 'example.org', 'a-b/c_d/e__f/g---h/i.j', 'V1.0-rc_1', null],
    [`example.org/plone@${DIGEST}`, 'example.org', 'plone', null, DIGEST],
    [`example.org/plone:6@${DIGEST}`, 'example.org', 'plone', '6', DIGEST],
    [`example.org/plone:_${'x'.repeat(127)}`, 'example.org', 'plone', `_${'x'.repeat(127)}`, null],
    [`example.org/${'a'.repeat(255)}`, 'example.org', 'a'.repeat(255), 'latest', null],
    ['example.org:65535/plone', 'example.org:65535', 'plone', 'latest', null],
  ];
  for (const [text, registry, repository, tag, digest] of table)
    it(`reads ${text.slice(0, 60)}`, () => {
      const reference = parseReference(text);
      assert.deepEqual(reference, { registry, repository, tag, digest });
      assert.deepEqual(parseReference(formatReference(reference)), reference);
    });

  it('says USAGE for what is none', () => {
    for (const text of [
      '',
      ' ',
      ':6',
      '@',
      '/plone',
      'plone/',
      'plone:',
      'plone@',
      'Plone',
      'team/Plone',
      'plone:a/b',
      'plone:-x',
      'plone:.x',
      `plone:${'x'.repeat(129)}`,
      'plone:6\n',
      'plone 6',
      'a..b/c',
      'team/a..b',
      'team/-a',
      'team/a-',
      'team/a___b',
      'team//plone',
      'team/../plone',
      'example.org/../etc',
      'example.org//plone',
      'example.org:port/plone',
      'example.org:/plone',
      'example.org:0/plone',
      'example.org:65536/plone',
      'example.org:123456/plone',
      '-example.org/plone',
      'example-.org/plone',
      'exam_ple.org/plone',
      '.org/plone',
      '[::1/plone',
      '[::1]x/plone',
      '[fe80::1%eth0]/plone',
      'http://example.org/plone',
      'https://user:password@example.org/plone',
      'user@example.org/plone',
      'münchen.example/plone',
      HEX,
      `example.org/${HEX}`,
      `plone@${HEX}`,
      `plone@sha256:${HEX.slice(1)}`,
      `plone@sha256:${HEX.toUpperCase()}`,
      `plone@md5:${HEX.slice(32)}`,
      `plone@${DIGEST}:6`,
      `plone@${DIGEST}@${DIGEST}`,
      `example.org/${'a'.repeat(256)}`,
      'a'.repeat(248),
    ])
      assert.throws(
        () => parseReference(text),
        (error) => error instanceof OciPloneError && error.code === 'USAGE' && !error.message.includes('password'),
        JSON.stringify(text),
      );
  });

  it('takes no time for a long name', () => {
    for (const part of ['a', 'a-', '-', '_', '.', 'a.', 'a/'])
      assert.throws(() => parseReference(`x.org/${part.repeat(50_000)}!`), OciPloneError);
  });

  it('knows a tag', () => {
    assert.ok(isTag('latest') && isTag('_') && isTag('6.2.0-rc1'));
    assert.ok(!isTag('') && !isTag('.a') && !isTag('a/b') && !isTag('a:b') && !isTag('é'));
  });
});
