import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPart } from '../../src/project/find-part.ts';
import { hasCode } from '../support/codes.ts';
import { lab } from './lab.ts';

const NIX = 'recipe = collective.recipe.nix\neggs = a\n';
const INSTANCE = 'recipe = plone.recipe.zope2instance\neggs = Plone\n';

describe('the part that is packed', () => {
  const found: readonly (readonly [what: string, text: string, wanted: string | undefined, section: string])[] = [
    ['the one of collective.recipe.nix', `[buildout]\nparts = x\n[x]\n${NIX}`, undefined, 'x'],
    ['not listed in parts', `[buildout]\n[x]\n${NIX}`, undefined, 'x'],
    ['with an entry point', '[buildout]\n[x]\nrecipe = collective.recipe.nix:default\n', undefined, 'x'],
    [
      'with a recipe by substitution',
      '[buildout]\n[r]\nnix = collective.recipe.nix\n[x]\nrecipe = ${r:nix}\n',
      undefined,
      'x',
    ],
    ['with a recipe by macro', `[buildout]\n[m]\nrecipe = collective.recipe.nix\n[x]\n<= m\n`, 'x', 'x'],
    ['before any instance', `[buildout]\n[i]\n${INSTANCE}[x]\n${NIX}`, undefined, 'x'],
    ['the one instance, where there is no other', `[buildout]\n[i]\n${INSTANCE}`, undefined, 'i'],
    ['an instance that is wanted', `[buildout]\n[i]\n${INSTANCE}[x]\n${NIX}`, 'i', 'i'],
    ['one of several', `[buildout]\n[x]\n${NIX}[y]\n${NIX}`, 'y', 'y'],
    ['beside a section that cannot be resolved', `[buildout]\n[bad]\nx = \${no:thing}\n[x]\n${NIX}`, undefined, 'x'],
  ];
  for (const [what, text, wanted, section] of found)
    it(what, async (t) => {
      assert.equal(findPart(await lab(t).buildout(text), wanted).section, section);
    });

  it('is known to be one of several', async (t) => {
    const { buildout } = lab(t);
    assert.equal(findPart(await buildout(`[buildout]\n[x]\n${NIX}`), undefined).isOnly, true);
    assert.equal(findPart(await buildout(`[buildout]\n[x]\n${NIX}[y]\n${NIX}`), 'x').isOnly, false);
  });

  const refused: readonly (readonly [
    what: string,
    text: string,
    wanted: string | undefined,
    code: 'USAGE' | 'INPUT_ABSENT',
    words: RegExp,
  ])[] = [
    ['several', `[buildout]\n[x]\n${NIX}[y]\n${NIX}`, undefined, 'USAGE', /x, y/],
    ['several instances', `[buildout]\n[i]\n${INSTANCE}[j]\n${INSTANCE}`, undefined, 'USAGE', /i, j/],
    [
      'none',
      '[buildout]\n[x]\nrecipe = zc.recipe.egg\neggs = a\n',
      undefined,
      'INPUT_ABSENT',
      /collective\.recipe\.nix/,
    ],
    ['a wanted one that is absent', `[buildout]\n[plone]\n${NIX}`, 'plane', 'USAGE', /did you mean "plone"/],
    ['a wanted one of another recipe', '[buildout]\n[x]\nrecipe = zc.recipe.egg\n', 'x', 'USAGE', /no part of/],
  ];
  for (const [what, text, wanted, code, words] of refused)
    it(`is refused: ${what}`, async (t) => {
      const buildout = await lab(t).buildout(text);
      assert.throws(
        () => findPart(buildout, wanted),
        (error: Error) => hasCode(code)(error) && words.test(error.message),
      );
    });
});
