import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { exportTarball, pack } from '../../src/index.ts';
import { hasCode } from '../support/codes.ts';
import { APP_PATH, type Folder, everythingIn, labFolder, writeApp } from '../support/packed.ts';

const BIG = { name: `${APP_PATH.slice(1)}/big`, content: Buffer.alloc(6 * 1024 ** 2, 'some text') };

describe('an archive that is not the same all the time', () => {
  let lab: Folder;
  let tar: string;
  beforeEach(async () => {
    lab = await labFolder();
    tar = await writeApp(join(lab.folder, 'app.nix.tar'), { more: [BIG] });
    writeFileSync(`${tar}.gz`, gzipSync(readFileSync(tar), { level: 0 }));
  });
  afterEach(() => lab.remove());

  const CHANGES: Readonly<Record<string, (path: string) => void>> = {
    grows: (path) => appendFileSync(path, 'more'),
    shrinks: (path) => truncateSync(path, 3_000_000),
    'becomes empty': (path) => truncateSync(path, 0),
    vanishes: (path) => rmSync(path),
    'gives way to another': (path) => {
      writeFileSync(`${path}.new`, readFileSync(path));
      renameSync(`${path}.new`, path);
    },
    'gives way to its own content with another byte': (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  };
  const FORMS = {
    'a tar': { suffix: '', layers: 'one' },
    'a gzip': { suffix: '.gz', layers: 'one' },
    'a gzip that is kept': { suffix: '.gz', layers: 'verbatim' },
  } as const;

  for (const [form, { suffix, layers }] of Object.entries(FORMS))
    for (const [what, change] of Object.entries(CHANGES))
      for (const kind of layers === 'one' ? (['read', 'pack'] as const) : (['read'] as const))
        it(`${form} that ${what} while it is ${kind === 'read' ? 'read' : 'packed'} is bad input`, async () => {
          const input = `${tar}${suffix}`;
          let isChanged = false;
          const onProgress = (event: { readonly kind: string }): void => {
            if (event.kind !== kind || isChanged) return;
            isChanged = true;
            change(input);
          };
          const output = join(lab.folder, 'x.oci');
          await assert.rejects(pack({ input, output, layers, env: {}, onProgress }), hasCode('INPUT_MALFORMED'));
          assert.ok(isChanged);
          assert.deepEqual(
            everythingIn(lab.folder).filter((name) => !name.startsWith('app.nix.tar')),
            [],
          );
        });

  it('is not exported either', async () => {
    const output = join(lab.folder, 'x.nix.tar');
    const onProgress = (): void => rmSync(tar, { force: true });
    await assert.rejects(exportTarball({ input: tar, output, env: {}, onProgress }), hasCode('INPUT_MALFORMED'));
    assert.deepEqual(everythingIn(lab.folder), ['app.nix.tar.gz']);
  });
});
