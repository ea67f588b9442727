import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { instance } from '../../src/index.ts';
import { missing, repositoryRoot } from '../support/fixtures.ts';
import { ploneVenv, skipPlone } from '../support/plone-venv.ts';
import { scratch } from '../support/scratch.ts';
import { runRecipeOf } from '../support/zope2instance.ts';

const run = promisify(execFile);

interface Visit {
  readonly status: number | null;
  readonly body: string;
  readonly exit: number;
  readonly output: string;
}

/**
 * Runs a command of `instance.py` with the folder at /opt and the environment at /app, as the article has them. Of this
 * machine there is only what programs need, so a path that was left behind leads nowhere.
 */
async function visit(folder: string, venv: string, command: string): Promise<Visit> {
  const machine = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc'].filter((path) => existsSync(path));
  const shown = [...machine, ...pythonFolders(venv)].flatMap((path) => ['--ro-bind', path, path]);
  const program = join(repositoryRoot, 'spec', 'image', 'instance-visit.py');
  const alone = '--unshare-all --die-with-parent --clearenv --setenv PATH /app/bin:/usr/bin:/bin --setenv HOME /tmp';
  const words = `${alone} --dev /dev --proc /proc --tmpfs /tmp --chdir /tmp`.split(' ');
  const mounts = ['--bind', folder, '/opt', '--ro-bind', venv, '/app', '--ro-bind', program, '/visit.py'];
  const { stdout } = await run('bwrap', [...words, ...shown, ...mounts, '/app/bin/python', '/visit.py', command], {
    timeout: 240_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  // The shape is that of the program beside this file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(stdout) as Visit;
}

/** Where an environment's own Python is, if not in /usr. */
function pythonFolders(venv: string): readonly string[] {
  const home = /^home\s*=\s*(\S.*)$/m.exec(readFileSync(join(venv, 'pyvenv.cfg'), 'utf8'))?.[1] ?? '';
  return home === '' || /^\/(usr|bin)\//.test(home) ? [] : [join(home, '..')];
}

const skip = missing('bwrap') || (await skipPlone());

describe('Plone, the article’s way', { skip }, () => {
  const lab = scratch({ after });

  /** A buildout's folder, rewritten. Where the instance starts it has no other name than /opt. */
  async function rewritten(place: string, inPlace: boolean): Promise<string> {
    const folder = join(lab, place);
    mkdirSync(folder);
    const options = { eggs: 'Plone', 'http-address': '127.0.0.1:8080', 'zodb-temporary-storage': 'off' };
    runRecipeOf(ploneVenv, [{ folder, options }]);
    const result = await instance({ folder, ...(inPlace ? { inPlace } : { output: `${folder}.instance` }) });
    assert.deepEqual(result.leftovers, []);
    return result.folder;
  }

  for (const [command, inPlace] of [
    ['fg', false],
    ['console', false],
    ['console', true],
  ] as const)
    it(`starts and answers: ${command}${inPlace ? ', in place' : ''}`, async () => {
      const folder = await rewritten(`${command}${inPlace ? '-in-place' : ''}`, inPlace);
      const { status, body, exit, output } = await visit(folder, ploneVenv, command);
      assert.equal(status, 200, output);
      assert.match(body, /<html/i);
      assert.ok([0, 1, -2].includes(exit), `${exit}: ${output}`);
      assert.ok(statSync(join(folder, 'var/filestorage/Data.fs')).size > 0);
      assert.match(readFileSync(join(folder, 'var/log/instance-access.log'), 'utf8'), /GET \/ HTTP/);
      assert.ok(readdirSync(join(folder, 'var/log')).includes('instance.log'));
    });
});
