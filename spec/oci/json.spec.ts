import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type Json, canonicalJson } from '../../src/oci/json.ts';

function text(value: Json): string {
  return new TextDecoder().decode(canonicalJson(value));
}

describe('canonicalJson', () => {
  it('sorts keys at every depth, and nothing else', () => {
    assert.equal(
      text({ b: [{ d: 1, c: 2 }, 3, 1], a: { z: null, Z: true } }),
      '{"a":{"Z":true,"z":null},"b":[{"c":2,"d":1},3,1]}',
    );
    assert.equal(text({ é: 1, e: 2, z: 3, '': 4 }), '{"":4,"e":2,"z":3,"é":1}');
    assert.equal(text([]), '[]');
    assert.equal(text('a\u2028"'), '"a\u2028\\""');
  });

  it('leaves out what is undefined', () => {
    assert.equal(text({ a: undefined, b: { c: undefined } }), '{"b":{}}');
  });

  it('keeps a key that is a word of JavaScript', () => {
    assert.equal(
      text(
        Object.fromEntries<Json>([
          ['constructor', 1],
          ['__proto__', { b: 1, a: 2 }],
        ]),
      ),
      '{"__proto__":{"a":2,"b":1},"constructor":1}',
    );
  });

  it('does not depend on the order in which keys were set, nor change a value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        assert.equal(text(reversed as Json), text(value as Json));
        assert.deepEqual(JSON.parse(text(value as Json)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
