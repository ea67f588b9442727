import { cpSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PackOptions, type PackResult, pack } from '../../src/index.ts';
import { withLock } from '../../src/layout/lock.ts';
import { cleanEnvironment } from './cli.ts';
import { containersUnavailable } from './container.ts';
import { fixture, missing, nixpkgsFixture } from './fixtures.ts';
import { skipIndex } from './package-index.ts';

/** A Plone packed from its buildout, for specs of what is in it. */
export interface PloneImage {
  readonly layout: string;
  readonly result: PackResult;
  /** The buildout's folder, for another pack. */
  readonly project: string;
  /** What was packed; the next call with them has nothing to do. */
  readonly options: PackOptions;
}

const nix = await nixpkgsFixture();

/** For node:test's `skip`: false where a Plone can be packed and run. */
export async function skipPloneImage(): Promise<string | false> {
  return nix.skip || missing('bwrap') || containersUnavailable() || (await skipIndex());
}

/**
 * Packs a buildout of `fixtures/plone` from the package index. The folder with the store and the layout stays for the next one
 * who asks on this machine, so that ten specs pack one Plone; what they get is packed by the code under test all the same.
 */
export async function ploneImage(file = 'buildout.cfg'): Promise<PloneImage> {
  const folder = join(tmpdir(), `oci-plone-spec-plone-${process.getuid?.() ?? 0}`);
  const project = join(folder, 'project');
  mkdirSync(project, { recursive: true });
  const layout = join(folder, file.replace(/\.cfg$/, '.oci'));
  return withLock(join(folder, 'lock'), { temporary: join(folder, `lock-${process.pid}`) }, async () => {
    cpSync(fixture('plone'), project, { recursive: true });
    const input = join(project, file);
    const options = { input, output: layout, store: join(folder, 'nix'), env: cleanEnvironment() };
    return { layout, result: await pack(options), project, options };
  });
}
