import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type InstanceResult, instance, pack } from '../../src/index.ts';
import { runContainer } from '../support/container.ts';
import { type Folder, labFolder } from '../support/packed.ts';
import { ploneImage, skipPloneImage } from '../support/plone-image.ts';
import { ploneVenv, skipPlone } from '../support/plone-venv.ts';
import { runRecipeOf } from '../support/zope2instance.ts';

const skip = (await skipPloneImage()) || (await skipPlone());

describe('the article’s own way: the buildout’s folder at /opt of an environment', { skip, timeout: 3_600_000 }, () => {
  let lab: Folder;
  let layout: string;
  let rewritten: InstanceResult;
  before(async () => {
    lab = await labFolder();
    layout = join(lab.folder, 'environment.oci');
    const { options } = await ploneImage();
    await pack({ ...options, output: layout, instance: false });
    const folder = join(lab.folder, 'buildout');
    mkdirSync(folder);
    runRecipeOf(ploneVenv, [{ folder, options: { eggs: 'Plone', 'http-address': '8080' } }]);
    rewritten = await instance({ folder, output: join(lab.folder, 'copy') });
    for (const name of ['', ...readdirSync(rewritten.folder, { recursive: true, encoding: 'utf8' })])
      chownSync(join(rewritten.folder, name), 1000, 1000);
  });
  after(() => lab?.remove());

  for (const command of ['fg', 'console'])
    it(`starts and answers by instance.py ${command}, as uid 1000, on a read-only root`, async () => {
      const mounts = { '/opt': rewritten.folder };
      const args = ['/opt/instance.py', command];
      const container = await runContainer({ layout, args, readOnly: true, tmpfs: ['/tmp'], mounts });
      const { status, body } = await container.get('/');
      const { uid } = await container.owner();
      await container.stop('SIGINT');
      assert.deepEqual([status, uid], [200, 1000], container.output());
      assert.match(body, /Plone/);
    });
});
