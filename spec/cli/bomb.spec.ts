import assert from 'node:assert/strict';
import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runCli } from '../support/cli.ts';
import { missing } from '../support/fixtures.ts';
import { type Folder, everythingIn, labFolder } from '../support/packed.ts';
import { entry } from '../support/tars.ts';

const MEBIBYTE = 1024 ** 2;

/** No file of more than this can be written: the spool, above all. */
const DISK = 160 * MEBIBYTE;

/** Says on stderr how much memory was used, when the program ends. */
const MEASURE = `data:text/javascript,import{writeSync}from'node:fs';process.on('exit',()=>writeSync(2,'maxRSS='+process.resourceUsage().maxRSS+' '))`;

describe('an archive that grows a thousandfold', { skip: missing('prlimit') }, () => {
  let lab: Folder;
  let bomb: string;
  before(async () => {
    lab = await labFolder();
    bomb = join(lab.folder, 'bomb.tar.gz');
    // 25 GiB of zeros in one file, in members of 64 MiB each: 25 MiB.
    const zeros = gzipSync(Buffer.alloc(64 * MEBIBYTE));
    writeFileSync(bomb, gzipSync(entry({ name: 'zeros', size: 400 * 64 * MEBIBYTE })));
    for (let member = 0; member < 400; member++) appendFileSync(bomb, zeros);
    appendFileSync(bomb, gzipSync(Buffer.alloc(1024)));
    assert.ok(statSync(bomb).size < 40 * MEBIBYTE);
  });
  after(() => lab.remove());

  const STOPPED: Readonly<Record<string, readonly string[]>> = {
    'by its ratio': [],
    'by its ratio, kept verbatim': ['--layers=verbatim'],
    'by its bytes, where the ratio is not looked at': ['--max-ratio=100000', `--max-bytes=${100 * MEBIBYTE}`],
  };
  for (const [how, flags] of Object.entries(STOPPED))
    it(`is stopped ${how}, before it fills memory or disk`, { timeout: 60_000 }, async () => {
      const { code, stdout, stderr } = await runCli(['pack', bomb, '-o', 'x.oci', ...flags], {
        cwd: lab.folder,
        env: { NODE_OPTIONS: `--import "${MEASURE}"` },
        through: ['prlimit', `--fsize=${DISK}`],
      });
      assert.deepEqual([code, stdout], [3, ''], stderr);
      assert.match(stderr, /^oci-plone: INPUT_REFUSED: /m);
      const kibibytes = Number(/maxRSS=(\d+)/.exec(stderr)?.[1]);
      assert.ok(kibibytes > 0 && kibibytes < 150 * 1024, `${kibibytes} KiB`);
      assert.deepEqual(everythingIn(lab.folder), ['bomb.tar.gz']);
    });
});
