import assert from 'node:assert/strict';
import { type ErrorCode, OciPloneError } from '../../src/errors.ts';

/** For assert.throws and assert.rejects: the error is ours and has one of these codes. */
export function hasCode(...codes: readonly ErrorCode[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof OciPloneError, error instanceof Error ? error.stack : String(error));
    assert.ok(codes.includes(error.code), `expected ${codes.join(' or ')}, got ${error.code}: ${error.message}`);
    return true;
  };
}

/** Of an archive that is broken, and of one that asks for what is never done. */
export const badInput: (error: unknown) => true = hasCode('INPUT_MALFORMED', 'INPUT_REFUSED');
