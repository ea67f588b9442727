import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDevelopEggs } from '../../src/project/develop.ts';
import type { DevelopEgg } from '../../src/project/develop.ts';
import { hasCode } from '../support/codes.ts';
import { lab } from './lab.ts';

type Files = Readonly<Record<string, string>>;

const SETUP_PY = `
from setuptools import setup, find_packages
version = "1.0"
setup(
    name='My.Policy', version=version, author_name="x",
    install_requires=[
        'setuptools',  # always
        "Plone>=6.0", 'six; python_version < "3"',
    ],
    extras_require={'test': ['plone.app.testing'], "ldap": ["python-ldap"]},
)
`;

const EXPECTED = ['setuptools', 'Plone>=6.0', 'six; python_version < "3"'];

describe('a develop egg', () => {
  const read = async (
    t: Parameters<typeof lab>[0],
    files: Files,
    develop = 'src/my',
  ): Promise<readonly DevelopEgg[]> => {
    const { buildout, write } = lab(t);
    for (const [name, text] of Object.entries(files)) write(`src/my/${name}`, text);
    return readDevelopEggs(await buildout(`[buildout]\ndevelop = ${develop}\n`));
  };

  const sources: readonly (readonly [
    what: string,
    files: Files,
    requires: readonly string[],
    version: string | null,
  ])[] = [
    [
      'pyproject.toml',
      {
        'pyproject.toml': `# a comment with "quotes" and [brackets]
[build-system]
requires = ["setuptools"]
[project] # own
name = "my-policy"
version = '2.0'
dependencies = [
  "setuptools", # one
  "Plone>=6.0",
  'six; python_version < "3"',
]
[project.optional-dependencies]
test = ["plone.app.testing"]
"ldap" = ["python-ldap"]
[tool.other]
dependencies = ["wrong"]
text = """
[project]
name = "wrong"
"""
`,
      },
      EXPECTED,
      '2.0',
    ],
    [
      'setup.cfg',
      {
        'setup.cfg':
          '[metadata]\nname = my.policy\nversion = 1.5\n\n[options]\ninstall_requires =\n    setuptools\n    Plone>=6.0\n    six; python_version < "3"\n[options.extras_require]\ntest = plone.app.testing\nldap =\n    python-ldap\n',
        'setup.py': 'from setuptools import setup\nsetup()\n',
      },
      EXPECTED,
      '1.5',
    ],
    ['setup.py of plain lists', { 'setup.py': SETUP_PY }, EXPECTED, null],
    [
      'egg-info, where setup.py computes',
      {
        'setup.py': SETUP_PY.replace("'setuptools',", 'open("requirements.txt").read(),'),
        'src/my.policy.egg-info/PKG-INFO': 'Metadata-Version: 1.0\nName: my.policy\nVersion: 3.0\n',
        'src/my.policy.egg-info/requires.txt':
          'setuptools\nPlone>=6.0\n\n[:python_version < "3"]\nsix\n\n[test]\nplone.app.testing\n\n[ldap]\npython-ldap\n',
      },
      ['setuptools', 'Plone>=6.0', 'six ; (python_version < "3")'],
      '3.0',
    ],
    [
      'dynamic dependencies, and setup.cfg',
      {
        'pyproject.toml': '[project]\nname = "wrong"\ndynamic = ["dependencies"]\n',
        'setup.cfg':
          '[metadata]\nname = my.policy\n[options]\ninstall_requires =\n    setuptools\n    Plone>=6.0\n    six; python_version < "3"\n[options.extras_require]\ntest = plone.app.testing\nldap = python-ldap\n',
      },
      EXPECTED,
      null,
    ],
  ];
  for (const [what, files, requires, version] of sources)
    it(`is read from ${what}`, async (t) => {
      const [egg, ...more] = await read(t, files);
      assert.deepEqual([egg?.name, egg?.version, more], ['my-policy', version, []]);
      const texts = egg?.metadata.requires.map(({ text }) => text) ?? [];
      const own = texts.filter((text) => !text.includes('extra =='));
      assert.deepEqual(own, requires);
      assert.deepEqual(egg?.metadata.extras, ['ldap', 'test']);
      assert.ok(
        texts.some((text) => /^plone\.app\.testing ; .*extra == "test"/.test(text)),
        texts.join('\n'),
      );
    });

  it('is not guessed: what is computed, and written down nowhere, is an error', async (t) => {
    for (const setup of [
      SETUP_PY.replace('install_requires=[', 'install_requires=read('),
      SETUP_PY.replace("'setuptools',", 'SETUPTOOLS,'),
      SETUP_PY.replace("'setuptools',", "'setup' + 'tools',"),
      SETUP_PY.replace('extras_require={', 'extras_require=dict('),
    ])
      await assert.rejects(read(t, { 'setup.py': setup }), hasCode('INPUT_MALFORMED'));
  });

  it('is named by patterns, by its setup.py, or is not there', async (t) => {
    const { buildout, write } = lab(t);
    for (const name of ['b', 'a', '.hidden'])
      write(`src/${name}/pyproject.toml`, `[project]\nname = "${name.replace('.', 'x')}"\n`);
    write('own/setup.py', SETUP_PY);
    const notes: string[] = [];
    const text = '[buildout]\ndevelop = src/* own/setup.py nosuch\n';
    const eggs = await readDevelopEggs(
      await buildout(text),
      (event) => event.kind === 'note' && notes.push(event.text),
    );
    assert.deepEqual(
      eggs.map(({ name }) => name),
      ['a', 'b', 'my-policy'],
    );
    assert.equal(notes.length, 1);
  });
});
