import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it, after } from 'node:test';
import { skipPlone } from '../support/plone-venv.ts';
import { type Ended, type ProgramLab, failureOf, programLab, runProgram } from './program-lab.ts';

const skip = await skipPlone();

const SHOW = `
import json, sys
from App.config import getConfiguration
from AccessControl import getSecurityManager
site = app.get(sys.argv[1])
configuration = getConfiguration()
print(json.dumps({
    "argv": sys.argv[1:],
    "sites": [one.id for one in app.objectValues("Plone Site")],
    "title": site and site.title,
    "language": site and site.Language(),
    "url": app.absolute_url(),
    "debug": configuration.debug_mode,
    "cache": configuration.dbtab.getDatabase("/").getCacheSize(),
    "user": str(getSecurityManager().getUser()),
}))
sys.exit(7)
`;

/** One database, in this order. */
describe('the commands of an image', { skip }, () => {
  let lab: ProgramLab;
  const cleanups: (() => Promise<void>)[] = [];
  before(async () => {
    lab = await programLab({ after: (clean) => void cleanups.push(clean) }, { plone: true });
    await writeFile(join(lab.opt, 'show.py'), SHOW);
  });
  after(async () => {
    for (const clean of cleanups) await clean();
  });

  const command = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    runProgram(lab, words, { env: { ADMIN_PASSWORD: 'a-password', ...env } });
  const show = async (
    id: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, unknown>>> => {
    const { code, stdout, stderr } = await command(['run', 'show.py', id, '--flag'], env);
    assert.equal(code, 7, stderr);
    const shown: Readonly<Record<string, unknown>> = JSON.parse(stdout);
    return shown;
  };

  it('create-site makes one on an empty volume, and says where it is', async () => {
    const { code, stdout, stderr } = await command(
      ['create-site', 'Intranet', '--type', 'classic', '--title', 'Unser Netz', '--language', 'de'],
      { SITE: 'Other', SITE_TITLE: 'Other' },
    );
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '/Intranet\n');
  });

  it('run has app, the arguments, and gives the script’s exit code', async () => {
    const { debug, cache, ...shown } = await show('Intranet');
    assert.deepEqual(shown, {
      argv: ['Intranet', '--flag'],
      sites: ['Intranet'],
      title: 'Unser Netz',
      language: 'de',
      url: 'http://nohost',
      user: 'System Processes',
    });
    assert.deepEqual([debug, cache], [false, 30_000]);
  });

  it('Zope takes every setting that is no server’s', async () => {
    const { debug, cache } = await show('Intranet', {
      DEBUG_MODE: 'on',
      VERBOSE_SECURITY: 'on',
      SECURITY_POLICY_IMPLEMENTATION: 'python',
      DEFAULT_ZPUBLISHER_ENCODING: 'utf-8',
      CLIENT_HOME: join(lab.data, 'pod-0'),
      ZODB_CACHE_SIZE: '1234',
      ZOPE_FORM_MEMORY_LIMIT: '4MB',
      ZOPE_FORM_DISK_LIMIT: '1GB',
      ZOPE_FORM_MEMFILE_LIMIT: '4KB',
    });
    assert.deepEqual([debug, cache], [true, 1234]);
  });

  it('a second create-site changes nothing; with DELETE_EXISTING the site is made anew', async () => {
    const again = await command(['create-site'], { SITE_ID: 'Intranet', SITE_TITLE: 'New' });
    assert.deepEqual([again.code, again.stdout], [0, '']);
    const anew = await command(['create-classic'], { SITE_ID: 'Intranet', SITE_TITLE: 'New', DELETE_EXISTING: '1' });
    assert.deepEqual([anew.code, anew.stdout], [0, '/Intranet\n'], anew.stderr);
    assert.equal((await show('Intranet'))['title'], 'New');
  });

  it('what create-site refuses leaves no site behind, and the old one as it was', async () => {
    const type = await command(['create-site', 'Half', '--type', 'drupal']);
    assert.deepEqual([type.code, failureOf(type)], [9, 'REQUEST_REFUSED']);
    const profile = await command(['create-site', 'Intranet', '--profile', 'no.such:default', '--delete-existing']);
    assert.equal(failureOf(profile), 'REQUEST_REFUSED');
    // The broken step comes after the distribution's content, which is committed by then.
    await mkdir(join(lab.opt, 'broken'));
    await writeFile(join(lab.opt, 'broken/__init__.py'), 'def fail(_):\n    raise RuntimeError("broken on purpose")\n');
    await writeFile(join(lab.opt, 'broken/import_steps.xml'), BROKEN_STEP);
    await writeFile(join(lab.opt, 'sitecustomize.py'), BROKEN_ADD_ON);
    const broken = await runProgram(lab, ['create-site', 'Half', '--type', 'classic', '--profile', 'broken:default'], {
      env: { PYTHONPATH: lab.opt },
    });
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /RuntimeError: broken on purpose/);
    assert.deepEqual((await show('Intranet'))['sites'], ['Intranet']);
  });

  it('create-volto, as plone/plone-backend calls it; create-site makes the same unless told otherwise', async () => {
    const { code, stderr } = await command(['create-site', 'V', '--no-content']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /\(volto\)/);
    assert.equal((await command(['create-volto'], { SITE_ID: 'V' })).code, 0);
  });

  it('adduser: from the environment, from stdin, made and printed; twice is refused; roles that are not there', async () => {
    assert.equal((await command(['adduser', 'kim'], { USER_PASSWORD: 'first-password' })).code, 0);
    const twice = await command(['adduser', 'kim'], { USER_PASSWORD: 'second-password' });
    assert.deepEqual([twice.code, failureOf(twice)], [9, 'REQUEST_REFUSED']);
    assert.equal(failureOf(await command(['adduser', 'lee', '--roles', 'King'])), 'REQUEST_REFUSED');
    const generated = await command(['adduser', 'lee', '--roles', 'Manager, Owner']);
    assert.match(generated.stdout, /^\S{16,}\n$/);
    const replacing = ['adduser', 'kim', '--replace', '--roles', 'Owner', '--password-file', '-'];
    assert.equal((await runProgram(lab, replacing, { input: 'third-password\n' })).code, 0);
    const { stdout } = await runProgram(lab, ['run', '-'], { input: USERS(generated.stdout.trim()) });
    assert.equal(stdout, "None\n['Authenticated', 'Owner']\n['Authenticated', 'Manager', 'Owner']\n");
  });

  it('debug is a console, which commits nothing', async () => {
    const input = 'print("site", app.Intranet.title)\napp.Intranet.title = "Lost"\n';
    const { code, stdout } = await runProgram(lab, ['debug'], { input });
    assert.equal(code, 0);
    assert.match(stdout, /site New/);
    const again = await runProgram(lab, ['console'], { input });
    assert.match(again.stdout, /site New/);
  });

  it('a script that fails shows where', async () => {
    await writeFile(join(lab.opt, 'fails.py'), 'import beside\n');
    await writeFile(join(lab.opt, 'beside.py'), 'raise RuntimeError("of the script")\n');
    const { code, stderr } = await command(['run', 'fails.py']);
    assert.equal(code, 1);
    assert.match(stderr, /fails\.py", line 1[^]*RuntimeError: of the script/);
  });
});

const USERS = (generated: string): string => `
def roles(name, password):
    from base64 import b64encode
    request = app.REQUEST.clone()
    request._auth = "Basic " + b64encode(f"{name}:{password}".encode()).decode()
    app.REQUEST["PUBLISHED"] = app.acl_users
    for user_id, info in app.acl_users._extractUserIds(request, app.acl_users.plugins):
        return sorted(app.acl_users.getUserById(user_id).getRoles())

print(roles("kim", "first-password"))
print(roles("kim", "third-password"))
print(roles("lee", "${generated}"))
`;

const BROKEN_STEP =
  '<import-steps><import-step id="broken" handler="broken.fail" title="x" version="1">x</import-step></import-steps>';

/** Registers a profile with a step that fails, as an add-on's would, once Zope's registry is there. */
const BROKEN_ADD_ON = `
import zope.event

def opened(event):
    if type(event).__name__ == "DatabaseOpenedWithRoot":
        from Products.GenericSetup import EXTENSION, profile_registry
        profile_registry.registerProfile("default", "Broken", "", ".", "broken", EXTENSION)

zope.event.subscribers.append(opened)
`;
