import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { strToU8 } from 'fflate';
import type { ErrorCode } from '../../src/errors.ts';
import { OciPloneError } from '../../src/errors.ts';
import { listen } from '../support/fault-registry.ts';
import { hasCode } from '../support/codes.ts';
import { type WheelSpec, wheelBytes, wheelName } from '../support/wheels.ts';
import { type IndexOptions, type Served, serveIndex } from './index-server.ts';
import { type Lab, lab } from './lab.ts';

const HEAD = '[buildout]\nparts =\n[app]\nrecipe = collective.recipe.nix\n';
const WEB = `${HEAD}eggs = web\n`;

function served(spec: WheelSpec, more: Partial<Served> = {}): Served {
  return { file: wheelName(spec), bytes: wheelBytes(spec), ...more };
}

/** Nothing of a failed run is left: no lock, no expression, no temporary file. */
async function fails(own: Lab, options: Parameters<Lab['nix']>[0], code: ErrorCode, words: RegExp): Promise<void> {
  const before = readdirSync(own.folder, { recursive: true }).filter((name) => !String(name).startsWith('cache'));
  await assert.rejects(own.nix(options), (error) => {
    assert.ok(hasCode(code)(error) && error instanceof OciPloneError);
    assert.match(`${error.message}\n${error.hint}`, words);
    return true;
  });
  const after = readdirSync(own.folder, { recursive: true }).filter((name) => !String(name).startsWith('cache'));
  assert.deepEqual(after, before);
}

describe('bad input: the buildout', () => {
  const buildouts: readonly (readonly [what: string, text: string, code: ErrorCode, words: RegExp])[] = [
    ['a line that is none', '[buildout]\nx: 1\n', 'INPUT_MALFORMED', /buildout\.cfg[^]*line 2/],
    ['no section first', 'x = 1\n', 'INPUT_MALFORMED', /buildout\.cfg:1/],
    ['extends of a missing file', '[buildout]\nextends = nosuch.cfg\n', 'INPUT_ABSENT', /nosuch\.cfg/],
    ['extends of itself', '[buildout]\nextends = buildout.cfg\n', 'INPUT_MALFORMED', /extends itself/],
    ['a circular substitution', `${HEAD}eggs = \${app:name}\nname = \${app:eggs}\n`, 'INPUT_MALFORMED', /circular/],
    ['versions of no section', `[buildout]\nversions = pins\n${HEAD}eggs = web\n`, 'INPUT_MALFORMED', /pins/],
    ['a switch that is none', `[buildout]\nprefer-final = yes\n${HEAD}eggs = web\n`, 'INPUT_MALFORMED', /prefer-final/],
    ['a macro of no section', `${HEAD}<= nosuch\neggs = web\n`, 'INPUT_MALFORMED', /nosuch/],
    ['no part', '[buildout]\nparts =\n', 'INPUT_ABSENT', /collective\.recipe\.nix/],
    ['a pin that is no version', `${WEB}[versions]\nweb = one\n`, 'INPUT_ABSENT', /one[^]*1\.0/],
    [
      'a constraints file that is not there',
      `${WEB}constraints = nosuch.txt\n`,
      'INPUT_ABSENT',
      /constraints \(.*:\d+\)/,
    ],
    ['a constraint that is none', `${WEB}constraints = buildout.cfg\n`, 'INPUT_MALFORMED', /constraints/],
  ];
  for (const [what, text, code, words] of buildouts)
    it(what, async (t) => {
      const own = lab(t, text);
      own.wheels({ name: 'web', version: '1.0' });
      await fails(own, {}, code, words);
    });

  it('a missing file', async (t) => {
    await fails(lab(t), {}, 'INPUT_ABSENT', /buildout\.cfg/);
  });

  it('extends over HTTP: a 404, a server that is gone, an address for the buildout itself', async (t) => {
    const server = createServer((request, response) =>
      request.url === '/whole.cfg' ? response.end(WEB) : response.writeHead(404).end(),
    );
    t.after(() => server.close());
    const url = `http://${await listen(server)}`;
    await fails(lab(t, `[buildout]\nextends = ${url}/versions.cfg\n`), {}, 'REGISTRY', /404/);
    await fails(lab(t, `[buildout]\nextends = ${url}/versions.cfg\n`), { offline: true }, 'INPUT_ABSENT', /offline/);
    // Port 1 (tcpmux) is nobody's.
    await fails(lab(t, '[buildout]\nextends = http://127.0.0.1:1/versions.cfg\n'), {}, 'NETWORK', /127\.0\.0\.1:1/);
    await fails(lab(t), { file: `${url}/whole.cfg` }, 'USAGE', /lock/);
  });
});

describe('bad input: distributions', () => {
  const web = { name: 'web', version: '1.0' };
  interface Case {
    readonly what: string;
    readonly projects: Readonly<Record<string, readonly Served[]>>;
    readonly text?: string;
    readonly index?: IndexOptions;
    readonly code: ErrorCode;
    readonly words: RegExp;
  }
  const cases: readonly Case[] = [
    { what: 'a project that is not there', projects: {}, code: 'REGISTRY', words: /web/ },
    {
      what: 'a version that does not exist, with the nearest',
      projects: { web: [served(web), served({ name: 'web', version: '1.1' })] },
      text: `${WEB}[versions]\nweb = 1.2\n`,
      code: 'INPUT_ABSENT',
      words: /1\.2[^]*1\.1/,
    },
    {
      what: 'an extra that does not exist, with the nearest',
      projects: { web: [served({ ...web, extras: ['tests'] })] },
      text: `${HEAD}eggs = web[test]\n`,
      code: 'INPUT_ABSENT',
      words: /tests/,
    },
    {
      what: 'only a yanked version',
      projects: { web: [served(web, { yanked: 'broken' })] },
      code: 'INPUT_ABSENT',
      words: /web/,
    },
    {
      what: 'a Python that no version takes',
      projects: { web: [served({ ...web, requiresPython: '>=3.12' })] },
      code: 'INPUT_ABSENT',
      words: /web/,
    },
    {
      what: 'a conflict, with who requires what and the pin in the way',
      projects: {
        web: [served({ ...web, requires: ['base>=2'] })],
        base: [served({ name: 'base', version: '1.0' }), served({ name: 'base', version: '2.0' })],
      },
      text: `${WEB}[versions]\nbase = 1.0\n`,
      code: 'INPUT_REFUSED',
      words: /web 1\.0[^]*base>=2[^]*1\.0|1\.0[^]*base>=2/,
    },
    {
      what: 'a pick that is not allowed',
      projects: { web: [served(web)] },
      text: WEB.replace('parts =', 'allow-picked-versions = false'),
      code: 'INPUT_REFUSED',
      words: /web/,
    },
    {
      what: 'a truncated download',
      projects: { web: [served(web, { truncateAt: 40 })] },
      code: 'NETWORK',
      words: /127\.0\.0\.1/,
    },
    {
      what: 'a hash that does not match',
      projects: { web: [served(web, { sha256: 'a'.repeat(64) })] },
      code: 'DIGEST_MISMATCH',
      words: /web-1\.0.*a{64}/,
    },
    {
      what: 'a wheel that is no zip',
      projects: { web: [{ file: wheelName(web), bytes: Buffer.from('no zip at all') }] },
      code: 'INPUT_MALFORMED',
      words: /web-1\.0/,
    },
    {
      what: 'a zip with `..`',
      projects: { web: [served({ ...web, more: { '../../evil.py': strToU8('evil') } })] },
      code: 'INPUT_REFUSED',
      words: /web-1\.0/,
    },
    {
      what: 'JSON that is none',
      projects: { web: [served(web)] },
      index: { page: { type: 'application/vnd.pypi.simple.v1+json', body: '{"files": [' } },
      code: 'INPUT_MALFORMED',
      words: /127\.0\.0\.1/,
    },
    {
      what: 'an index that wants a password',
      projects: { web: [served(web)] },
      index: { credentials: 'user:pass' },
      code: 'AUTHENTICATION',
      words: /127\.0\.0\.1/,
    },
  ];
  for (const { what, projects, text = WEB, index, code, words } of cases)
    it(what, async (t) => {
      const indexes = [await serveIndex(t, projects, index)];
      await fails(lab(t, text), { indexes }, code, words);
    });

  it('an index that is not there', async (t) => {
    await fails(lab(t, WEB), { indexes: ['http://127.0.0.1:1/simple'] }, 'NETWORK', /127\.0\.0\.1:1/);
  });
});

describe('input that looks bad and is good', () => {
  const web = { name: 'web', version: '1.0' };
  const distributions = async (
    t: Parameters<typeof lab>[0],
    projects: Readonly<Record<string, readonly Served[]>>,
    index: IndexOptions = {},
    text = WEB,
  ) => {
    const own = lab(t, text);
    const { distributions: count } = await own.nix({ indexes: [await serveIndex(t, projects, index)] });
    return { own, count };
  };

  it('a cycle of requirements', async (t) => {
    const projects = {
      web: [served({ ...web, requires: ['base'] })],
      base: [served({ name: 'base', version: '1.0', requires: ['web'] })],
    };
    assert.equal((await distributions(t, projects)).count, 2);
  });

  it('METADATA in another encoding', async (t) => {
    const metadata = Buffer.from('Metadata-Version: 2.1\nName: web\nVersion: 1.0\nAuthor: J\xf6rg\n\n', 'latin1');
    assert.equal((await distributions(t, { web: [served({ ...web, metadata })] })).count, 1);
  });

  it('a yanked version that is pinned, with its reason', async (t) => {
    const { own, count } = await distributions(
      t,
      { web: [served(web, { yanked: 'too old' })] },
      {},
      `${WEB}[versions]\nweb = 1.0\n`,
    );
    assert.equal(count, 1);
    assert.ok(
      own.notes.some((note) => note.includes('too old')),
      own.notes.join('\n'),
    );
  });

  it('HTML in place of JSON', async (t) => {
    const body = `<!DOCTYPE html><a href="/files/web/${wheelName(web)}">${wheelName(web)}</a>`;
    assert.equal((await distributions(t, { web: [served(web)] }, { page: { type: 'text/html', body } })).count, 1);
  });

  it('a user and a password of an index reach neither lock nor expression', async (t) => {
    const own = lab(t, WEB);
    const url = await serveIndex(t, { web: [served(web)] }, { credentials: 'someone:unmistakable' });
    await own.nix({ indexes: [url.replace('http://', 'http://someone:unmistakable@')] });
    for (const name of ['app-env.nix', 'app-web.nix', 'app.nix', 'buildout.cfg.lock.json']) {
      const text = own.read(name);
      assert.ok(text.includes('/files/web/') || name === 'app.nix', text);
      assert.doesNotMatch(text, /someone|unmistakable/);
    }
  });

  it('once locked, an index that is gone', async (t) => {
    const own = lab(t, WEB);
    const indexes = [await serveIndex(t, { web: [served(web)] })];
    await own.nix({ indexes });
    await own.nix({ indexes: ['http://127.0.0.1:1/simple'], frozen: true });
  });
});
