import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { cliMain } from '../support/cli.ts';
import { repositoryRoot } from '../support/fixtures.ts';

/** V8's OptimizationStatus: compiled by its last compiler. */
const TURBOFANNED = 1 << 6;

/** Whether a function that was called so often was compiled by the last compiler. */
function isCompiledLast(calls: number, isLate: boolean): boolean {
  const code = `
    import { setImmediate, setTimeout } from 'node:timers/promises';
    import { compileLate } from './dist/src/cli/compile-late.js';
    if (${isLate}) compileLate();
    const hot = (list, index) => list.map((one) => one + index).length;
    for (let call = 0; call < ${calls}; call++) {
      hot([1, 2, 3, 4, 5, 6, 7, 8], call);
      if (call % 1000 === 0) await setImmediate();
    }
    // It compiles beside, and its code is taken at the next call.
    await setTimeout(200);
    hot([], 0);
    console.log(%GetOptimizationStatus(hot) & ${TURBOFANNED});`;
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', code];
  return execFileSync(process.execPath, args, { cwd: repositoryRoot, encoding: 'utf8' }).trim() !== '0';
}

describe(
  "V8's last compiler",
  { skip: Number.parseInt(process.versions.v8, 10) < 13 && 'this V8 has no compiler between' },
  () => {
    it('is asked early by itself', () => assert.equal(isCompiledLast(500_000, false), true));
    it('is not asked for what a pack of a second calls', () => assert.equal(isCompiledLast(500_000, true), false));
    it('is asked where there is enough to do', () => assert.equal(isCompiledLast(6_000_000, true), true));
  },
);

/** What `pack` with these flags tells V8. */
function toldByPack(...flags: readonly string[]): string {
  const code = `
    const v8 = process.getBuiltinModule('node:v8');
    const tell = v8.setFlagsFromString;
    v8.setFlagsFromString = (flag) => { console.log(flag); tell(flag); };
    process.argv.splice(1, 0, '${cliMain}');
    await import('${cliMain}');`;
  const args = ['--input-type=module', '--eval', code, '--', 'pack', '/nowhere.tar', ...flags];
  return spawnSync(process.execPath, args, { cwd: repositoryRoot, encoding: 'utf8' }).stdout;
}

describe('asking it late', () => {
  it('is what pack does, but not for an encoder in JavaScript', () => {
    const isLate = Number.parseInt(process.versions.v8, 10) >= 13;
    assert.match(toldByPack('--encoder=fflate'), /^--semi-space/);
    assert.equal(toldByPack('--encoder=zlib').includes('turbofan'), isLate);
    assert.equal(toldByPack('--encoder=fflate').includes('turbofan'), false);
  });

  it('says nothing, whatever the version', () => {
    const code = "import { compileLate } from './dist/src/cli/compile-late.js'; compileLate();";
    const args = ['--input-type=module', '--eval', `${code} console.error('end')`];
    const said = execFileSync('sh', ['-c', '"$@" 2>&1', 'sh', process.execPath, ...args], { cwd: repositoryRoot });
    assert.equal(String(said), 'end\n');
  });
});
