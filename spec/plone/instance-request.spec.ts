import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instanceRequest } from '../../src/plone/instance-request.ts';

function section(options: Readonly<Record<string, string>>): Parameters<typeof instanceRequest>[0] {
  return { name: 'instance', directory: '/home/u/plone', options: new Map(Object.entries(options)) };
}

describe('instanceRequest', () => {
  it('keeps the password from the store, and tells who administrates', () => {
    const { request, user } = instanceRequest(section({ eggs: 'Plone', user: 'admin:se:cret' }), { bakeUser: false });
    assert.equal(user, 'admin');
    assert.deepEqual(request, { section: 'instance', options: { eggs: 'Plone' } });
    assert.ok(!JSON.stringify(request).includes('se:cret'));
  });

  it('gives user and password to the recipe where that is asked for', () => {
    const { request, user } = instanceRequest(section({ user: 'admin:secret' }), { bakeUser: true });
    assert.deepEqual([request.options['user'], user], ['admin:secret', 'admin']);
  });

  it('knows no user where there is none', () => {
    for (const options of [{}, { user: '' }, { user: ':secret' }])
      assert.equal(instanceRequest(section(options), { bakeUser: false }).user, null);
  });

  const values: readonly (readonly [value: string, relocated: string])[] = [
    ['/home/u/plone', '/buildout'],
    ['/home/u/plone/var/blobs', '/buildout/var/blobs'],
    ['a /home/u/plone/x\n/home/u/plone/y', 'a /buildout/x\n/buildout/y'],
    ['path=/home/u/plone:/home/u/plone/z', 'path=/buildout:/buildout/z'],
    ['"/home/u/plone"', '"/buildout"'],
    ['/home/u/plone2/var', '/home/u/plone2/var'],
    ['/home/u/plone-old', '/home/u/plone-old'],
    ['/home/u/plone.bak', '/home/u/plone.bak'],
    ['/mnt/home/u/plone/var', '/mnt/home/u/plone/var'],
    ['/home/u', '/home/u'],
  ];
  for (const [value, relocated] of values)
    it(`takes paths of the buildout's folder on their boundaries: ${JSON.stringify(value)}`, () => {
      const { request } = instanceRequest(section({ value }), { bakeUser: false });
      assert.equal(request.options['value'], relocated);
    });

  it('takes a folder whose name means something in a pattern to the letter', () => {
    const options = new Map([['value', '/srv/a+b (1)/var /srv/aab (1)/var']]);
    const { request } = instanceRequest({ name: 'x', directory: '/srv/a+b (1)', options }, { bakeUser: false });
    assert.equal(request.options['value'], '/buildout/var /srv/aab (1)/var');
  });
});
