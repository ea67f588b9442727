import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { bakedTree } from '../../src/image/baked-tree.ts';
import { resolve } from '../../src/layer/resolve.ts';
import type { FolderNode } from '../../src/layer/tree.ts';
import { scratch } from '../support/scratch.ts';

/** As the recipe writes it, where /buildout stands for the buildout's folder. */
const ZOPE_CONF = `%define INSTANCEHOME /buildout/parts/client
instancehome $INSTANCEHOME
products /buildout/products
%include /buildout/more.conf
<zodb_db main>
  <filestorage>
    path /buildout/var/filestorage/Data.fs
  </filestorage>
  mount-point /
</zodb_db>
`;

const FILES: Readonly<Record<string, string>> = {
  'made/instance/etc/zope.conf': ZOPE_CONF,
  'made/instance/etc/wsgi.ini': '[app:zope]\nuse = egg:Zope#main\nzope_conf = /buildout/parts/client/etc/zope.conf\n',
  'made/programs/start': 'start',
  'made/programs/oci_plone/__init__.py': '',
  'buildout/products/Example/__init__.py': 'example',
  'buildout/more.conf': 'import-path /srv/elsewhere\n',
  'buildout/.env': 'PASSWORD=secret',
  'buildout/var/filestorage/Data.fs': 'the database',
};

function text(tree: FolderNode, path: string): string | undefined {
  const node = resolve(tree, path)?.node;
  return node?.kind === 'file' ? Buffer.concat([...node.read()]).toString() : undefined;
}

it('an image has of an instance what its configuration names, with the container’s paths, and nothing else', (t) => {
  const lab = scratch(t);
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(lab, name)), { recursive: true });
    writeFileSync(join(lab, name), content);
  }
  symlinkSync('Example', join(lab, 'buildout/products/Linked'));
  const told: string[] = [];
  const section = { name: 'client', options: new Map<string, string>(), directory: join(lab, 'buildout') };
  const tree = bakedTree(join(lab, 'made'), { section, user: null }, (event) => {
    if (event.kind === 'note') told.push(event.text);
  });

  const conf = text(tree, '/opt/parts/client/etc/zope.conf') ?? '';
  assert.match(conf, /^products \/opt\/products$/m);
  assert.match(conf, /^%include \/opt\/more\.conf$/m);
  assert.match(conf, /path \/data\/filestorage\/Data\.fs/);
  assert.doesNotMatch(conf, /\/buildout/);
  assert.equal(text(tree, '/opt/products/Linked/__init__.py'), 'example');
  assert.equal(text(tree, '/opt/start'), 'start');
  assert.deepEqual(JSON.parse(text(tree, '/opt/oci-plone.json') ?? ''), {
    data: '/data',
    user: 'admin',
    wsgiIni: 'parts/client/etc/wsgi.ini',
    zopeConf: 'parts/client/etc/zope.conf',
  });
  for (const path of ['/opt/.env', '/opt/var', '/opt/instance.py', '/opt/parts/client/bin', '/data'])
    assert.equal(resolve(tree, path), null, path);
  assert.ok(
    told.some((note) => note.includes('/srv/elsewhere')),
    told.join('\n'),
  );
});
