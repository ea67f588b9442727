import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import { findPart } from '../../src/project/find-part.ts';
import { readNixPart } from '../../src/project/nix-part.ts';
import type { NixPart } from '../../src/project/nix-part.ts';
import { hasCode } from '../support/codes.ts';
import { lab } from './lab.ts';

const HEAD = '[buildout]\nparts = plone instance\n[instance]\nrecipe = plone.recipe.zope2instance\neggs = Plone\n';
const PART = `${HEAD}[plone]\nrecipe = collective.recipe.nix\neggs =\n    \${instance:eggs}\n    waitress [x] >= 1\n`;

async function read(t: Parameters<typeof lab>[0], text: string): Promise<NixPart> {
  const buildout = await lab(t).buildout(text);
  return readNixPart(buildout, findPart(buildout, undefined));
}

describe('options of collective.recipe.nix', () => {
  const sha256 = 'a'.repeat(64);
  const options: readonly (readonly [option: string, text: string, expected: Partial<NixPart>])[] = [
    ['eggs', '', { roots: ['Plone', 'waitress [x] >= 1', 'plone.recipe.zope2instance'] }],
    ['name, absent', '', { name: 'plone' }],
    ['name', 'name = site\n', { name: 'site' }],
    ['prefix', 'prefix = nix\n', { prefix: 'nix' }],
    ['parts, absent: all of the buildout but itself', '', { parts: ['instance'] }],
    ['parts', 'parts = instance\n', { parts: ['instance'] }],
    ['outputs', 'outputs =\n    ./nix/plone-env.nix\n    plone.nix\n', { outputs: ['plone-env.nix', 'plone.nix'] }],
    ['allow-from-cache, absent', '', { allowFromCache: false }],
    ['allow-from-cache', 'allow-from-cache = Yes\n', { allowFromCache: true }],
    [
      'build-inputs: inline, of a section, of the environment',
      'build-inputs = lxml=libxml2,libxslt more ghostscript\n[more]\nPillow = zlib libjpeg\n',
      {
        buildInputs: new Map([
          ['lxml', ['libxml2', 'libxslt']],
          ['pillow', ['zlib', 'libjpeg']],
        ]),
        environmentInputs: ['ghostscript'],
      },
    ],
    [
      'propagated-build-inputs: eggs are resolved, attributes of nixpkgs are not',
      'propagated-build-inputs = a.b=c.d,python3Packages.ldap\n',
      { propagatedBuildInputs: new Map([['a-b', ['c.d', 'python3Packages.ldap']]]), added: ['c.d'] },
    ],
    [
      'nixpkgs',
      'nixpkgs = Pillow=pythonPackages.pillow more\n[more]\npython-ldap = pythonPackages.ldap\n',
      {
        fromNixpkgs: new Map([
          ['pillow', 'pythonPackages.pillow'],
          ['python-ldap', 'pythonPackages.ldap'],
        ]),
      },
    ],
    [
      'urls',
      `urls = a=https://u:p@example.org/a-1.0.tar.gz#sha256=${sha256}\n`,
      {
        urls: new Map([
          [
            'a',
            {
              address: `https://u:p@example.org/a-1.0.tar.gz#sha256=${sha256}`,
              url: 'https://example.org/a-1.0.tar.gz',
              file: 'a-1.0.tar.gz',
              sha256,
            },
          ],
        ]),
      },
    ],
    [
      'hooks',
      'hooks = a=a-hooks\n[a-hooks]\npreBuild =\n    echo 1\n    echo 2\n',
      { hooks: new Map([['a', new Map([['preBuild', 'echo 1\necho 2']])]]) },
    ],
  ];
  for (const [option, text, expected] of options)
    it(option, async (t) => {
      const part = await read(t, PART + text);
      assert.deepEqual({ ...part, ...expected }, part);
    });

  it('an instance alone stands for its eggs and its recipe', async (t) => {
    const part = await read(t, HEAD.replace(' plone', ''));
    assert.deepEqual(part.roots, ['Plone', 'plone.recipe.zope2instance']);
    assert.equal(part.name, 'instance');
  });

  it('the part of an image is not installed', async (t) => {
    const text = `[buildout]\nparts = x image\n[image]\nrecipe = oci-plone\n[x]\nrecipe = collective.recipe.nix\neggs = a\n`;
    assert.deepEqual((await read(t, text)).parts, []);
  });

  const bad: readonly (readonly [what: string, text: string, words: RegExp])[] = [
    ['no eggs at all', '[buildout]\n[x]\nrecipe = collective.recipe.nix\n', /\[x\] names no eggs/],
    ['an egg that is no requirement', PART.replace('waitress [x] >= 1', '>= 1'), /\[plone\] eggs \(.*:\d+\)/],
    ['a name that is none', `${PART}name = a/b\n`, /name \(.*:\d+\)/],
    ['a mapping to no section', `${PART}nixpkgs = pilow\n[pillow]\n`, /did you mean "pillow"/],
    ['a mapping of no package', `${PART}nixpkgs = -x=y\n`, /"-x"/],
    ['hooks of no section', `${PART}hooks = a=nosuch\n`, /nosuch/],
    ['a hook of no name', `${PART}hooks = a=h\n[h]\nx.y = echo\n`, /x\.y/],
    ['an address of no file', `${PART}urls = a=https://example.org/a\n`, /urls/],
    [
      'a part that is not there',
      PART.replace('plone instance', 'plone instanc'),
      /\(.*buildout\.cfg:\d+\): there is no section \[instanc\]; did you mean "instance"\?/,
    ],
    ['eggs misspelt', '[buildout]\n[x]\nrecipe = collective.recipe.nix\negs = a\n', /there is "egs" in it/],
    ['an unresolvable value', `${PART}name = \${no:thing}\n`, /no section \[no\]/],
  ];
  for (const [what, text, words] of bad)
    it(`refuses ${what}`, async (t) => {
      await assert.rejects(
        read(t, text),
        (error: Error) => hasCode('INPUT_MALFORMED')(error) && words.test(`${error.message} ${hintOf(error)}`),
      );
    });
});

function hintOf(error: Error): string {
  return error instanceof OciPloneError ? error.hint : '';
}
