import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { controlArguments } from '../../src/plone/control-script.ts';
import { fixture } from '../support/fixtures.ts';

describe('a control script', () => {
  const table = {
    'zope-2.13': {
      zopeConf: '/home/u/plone/parts/instance/etc/zope.conf',
      interpreter: '/home/u/plone/parts/instance/bin/interpreter',
      wsgiIni: null,
      umask: null,
    },
    'plone-5.2': {
      zopeConf: '/home/u/plone/parts/instance/etc/zope.conf',
      interpreter: '/home/u/plone/parts/instance/bin/interpreter',
      wsgiIni: '/home/u/plone/parts/instance/etc/wsgi.ini',
      umask: '18',
    },
    'plone-6': {
      zopeConf: 'parts/instance/etc/zope.conf',
      interpreter: 'parts/instance/bin/interpreter',
      wsgiIni: '/home/u/plone/etc/custom.ini',
      umask: null,
    },
  };
  for (const [name, expected] of Object.entries(table))
    it(`of ${name} names the instance’s files`, () => {
      assert.deepEqual(controlArguments(readFileSync(fixture('instances', name, 'bin/instance'), 'utf8')), expected);
    });

  it('that is something else names none', () => {
    const none = { zopeConf: null, interpreter: null, wsgiIni: null, umask: null };
    assert.deepEqual(controlArguments('#!/bin/sh\nexec zopectl -C x\n'), none);
  });
});
