import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readImagePart } from '../../src/project/image-part.ts';
import type { ImagePart } from '../../src/project/image-part.ts';
import { hasCode } from '../support/codes.ts';
import { lab } from './lab.ts';

const IMAGE = '[buildout]\nparts =\n[image]\nrecipe = oci-plone\n';

describe('a part of the recipe oci-plone', () => {
  const options: readonly (readonly [text: string, expected: Partial<ImagePart>])[] = [
    ['part = plone', { part: 'plone' }],
    ['instance = instance', { instance: 'instance' }],
    ['entrypoint = /app/bin/plone', { entrypoint: ['/app/bin/plone'] }],
    ['cmd = -m webapp', { cmd: ['-m', 'webapp'] }],
    ['cmd =\n    -c\n    print("a b")', { cmd: ['-c', 'print("a b")'] }],
    ['cmd = ["-c", "print(1)"]', { cmd: ['-c', 'print(1)'] }],
    ['env =\n    A=1\n    B = x=y', { environment: ['A=1', 'B=x=y'] }],
    ['env = vars\n[vars]\nA = 1', { environment: ['A=1'] }],
    ['labels = org.x=1', { labels: { 'org.x': '1' } }],
    ['annotations = org.x=1', { annotations: { 'org.x': '1' } }],
    ['volumes = /data /var', { volumes: ['/data', '/var'] }],
    ['ports = 8080/tcp\n    8081', { ports: ['8080/tcp', '8081'] }],
    ['workdir = /app', { workdir: '/app' }],
    ['user = 500', { user: '500' }],
    ['stop-signal = SIGINT', { stopSignal: 'SIGINT' }],
    ['platform = linux/amd64', { platform: 'linux/amd64' }],
    ['tag = 6.2', { tag: '6.2' }],
    ['reference = r.example.org/a:1 r.example.org/a:2', { push: ['r.example.org/a:1', 'r.example.org/a:2'] }],
    ['tag =', {}],
  ];
  for (const [text, expected] of options)
    it(JSON.stringify(text), async (t) => {
      const buildout = await lab(t).buildout(`${IMAGE}${text}\n`);
      assert.deepEqual(readImagePart(buildout), { section: 'image', ...expected });
    });

  it('an expression is relative to the file that names it', async (t) => {
    const { buildout, write, path } = lab(t);
    write('base/base.cfg', '[image]\nrecipe = oci-plone\nexpression = ./app.nix\n');
    assert.equal(
      readImagePart(await buildout('[buildout]\nextends = base/base.cfg\n'))?.expression,
      path('base/app.nix'),
    );
  });

  it('none', async (t) => {
    assert.equal(readImagePart(await lab(t).buildout('[buildout]\n[image]\nrecipe = other\n')), null);
  });

  it('one of several is chosen', async (t) => {
    const buildout = await lab(t).buildout(`${IMAGE}tag = a\n[other]\nrecipe = oci-plone\ntag = b\n`);
    assert.equal(readImagePart(buildout, 'other')?.tag, 'b');
    assert.throws(() => readImagePart(buildout), hasCode('USAGE'));
    assert.throws(() => readImagePart(buildout, 'nosuch'), hasCode('USAGE'));
  });

  const bad: readonly (readonly [text: string, words: RegExp])[] = [
    ['command = x', /there is no such option/],
    ['lables = a=b', /did you mean "labels"/],
    ['entry-point = x', /did you mean "entrypoint"/],
    ['constructor = x', /there is no such option/],
    ['cmd = ["-c"', /JSON/],
    ['cmd = [1]', /JSON/],
    ['env = NOTHING', /NAME=value/],
    ['env = ${no:thing}', /no section \[no\]/],
  ];
  for (const [text, words] of bad)
    it(`refuses ${text}`, async (t) => {
      const buildout = await lab(t).buildout(`${IMAGE}${text}\n`);
      assert.throws(
        () => readImagePart(buildout),
        (error: Error) => hasCode('INPUT_MALFORMED')(error) && words.test(error.message),
      );
    });
});
