import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cliMain, runCli } from '../support/cli.ts';
import { missing } from '../support/fixtures.ts';
import { APP_PATH, type Folder, labFolder, writeApp } from '../support/packed.ts';

const BOLD = '\u001b[1;31m';
const CLEAR = '\r\u001b[K';

describe('on a terminal', { skip: missing('script') }, () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
    // More than one event, so that there is something to clear.
    const big = { name: `${APP_PATH.slice(1)}/big`, content: Buffer.alloc(8 * 1024 * 1024, 'numbers') };
    await writeApp(join(lab.folder, 'app.nix.tar'), { more: [big] });
  });
  after(() => lab.remove());

  /** What a terminal on stderr is shown; stdout goes to a file. */
  async function shown(args: string, env: Readonly<Record<string, string>> = {}): Promise<readonly [string, string]> {
    const command = `'${process.execPath}' '${cliMain}' ${args} > stdout`;
    const through = ['sh', '-c', 'exec script --quiet --return --command "$0" /dev/null', command];
    const { stdout } = await runCli([], { cwd: lab.folder, env, through });
    return [stdout, await readFile(join(lab.folder, 'stdout'), 'utf8')];
  }

  it('there is a bar, and it goes away', async () => {
    const [terminal, stdout] = await shown('pack app.nix.tar');
    assert.ok(
      terminal.split(CLEAR).some((text) => /^\[[# ]+\] /.test(text)),
      terminal,
    );
    const rest = terminal.slice(terminal.lastIndexOf('\u001b[K'));
    assert.doesNotMatch(rest, /[#\]]/);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
  });

  it('there is none with --quiet', async () => {
    const [terminal] = await shown('pack app.nix.tar --quiet');
    assert.equal(terminal, '');
  });

  it('an error is bold, unless NO_COLOR says otherwise', async () => {
    assert.ok((await shown('pack absent.tar'))[0].includes(BOLD));
    assert.ok((await shown('pack absent.tar', { NO_COLOR: '' }))[0].includes(BOLD));
    assert.ok(!(await shown('pack absent.tar', { NO_COLOR: '1' }))[0].includes('\u001b'));
  });

  it('and elsewhere an error has no colour', async () => {
    const { stderr } = await runCli(['pack', 'absent.tar'], { cwd: lab.folder });
    assert.ok(!stderr.includes('\u001b'), stderr);
  });
});
