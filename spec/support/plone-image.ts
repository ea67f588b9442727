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
  readonly options: PackOptions;
}

const nix = await nixpkgsFixture();

/** For node:test's `skip`: false where a Plone can be packed and run. */
export async function skipPloneImage(): Promise<string | false> {
  return nix.skip || missing('bwrap') || containersUnavailable() || (await skipIndex());
}

/**
 * Packs `fixtures/NAME/buildout.cfg` from the package index. The folder with the store and the layout stays for the next one
 * who asks on this machine, so that ten specs pack one Plone; what they get is packed by the code under test all the same.
 */
export async function ploneImage(name = 'plone', more: Partial<PackOptions> = {}): Promise<PloneImage> {
  const folder = join(tmpdir(), `oci-plone-spec-image-${process.getuid?.() ?? 0}`);
  const project = join(folder, name);
  mkdirSync(project, { recursive: true });
  const lock = { temporary: join(folder, `${name}-${process.pid}.lock`) };
  return withLock(join(folder, `${name}.lock`), lock, async () => {
    cpSync(fixture(name), project, { recursive: true });
    const options: PackOptions = {
      input: join(project, 'buildout.cfg'),
      output: join(folder, `${name}.oci`),
      store: join(folder, 'nix'),
      env: cleanEnvironment(),
      ...more,
    };
    const result = await pack(options);
    return { layout: join(folder, `${name}.oci`), result, project, options };
  });
}
