import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync, lstatSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync, strToU8, zipSync } from 'fflate';
import type { Lab } from '../support/nix-lab.ts';
import { tarOf } from '../support/packed.ts';

const run = promisify(execFile);

/** Writes a wheel with these files, and the metadata that its name tells of. */
export function packWheel(folder: string, file: string, files: Readonly<Record<string, string>>): void {
  const [name = '', version = ''] = file.split('-');
  const info = `${name}-${version}.dist-info`;
  const all = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: spec\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: '',
  };
  const bytes = Object.entries(all).map(([path, text]) => [path, strToU8(text)] as const);
  writeFileSync(join(folder, file), zipSync(Object.fromEntries(bytes), { mtime: new Date(2000, 0, 2) }));
}

/** Writes an sdist of these files, `NAME-VERSION.tar.gz`. */
export async function packSource(folder: string, stem: string, files: Readonly<Record<string, string>>): Promise<void> {
  const entries = Object.entries(files).map(([path, content]) => ({ name: `${stem}/${path}`, content }));
  writeFileSync(join(folder, `${stem}.tar.gz`), gzipSync(await tarOf(entries), { mtime: 0 }));
}

/** Downloads zc.buildout, what it needs and its recipe for scripts, once for this machine; or says why it cannot. */
export async function downloadBuildout(): Promise<{ readonly folder: string } | { readonly reason: string }> {
  const folder = join(tmpdir(), 'oci-plone-zc-buildout-6.0.1-wheels');
  if (existsSync(folder)) return { folder };
  const draft = await mkdtemp(`${folder}-`);
  try {
    const what = ['zc.buildout==6.0.1', 'zc.recipe.egg==6.0.0', 'setuptools<82', 'pip', 'wheel', 'packaging'];
    const how = ['--quiet', '--no-deps', '--only-binary=:all:', '--python-version=3.11', '--dest', draft];
    await run('python3', ['-m', 'pip', 'download', ...how, ...what], { timeout: 120_000 });
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return { folder };
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return { reason: `zc.buildout cannot be downloaded with python3 -m pip: ${reason ?? ''}` };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** For bwrap: this machine as it is, with a lab's store for /nix, whether it has one or not. */
export function inRoot(lab: Lab): readonly string[] {
  const own = readdirSync('/').filter((name) => !['nix', 'dev', 'proc'].includes(name));
  const shown = own.flatMap((name) => {
    const path = `/${name}`;
    return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--bind', path, path];
  });
  return [...shown, '--dev', '/dev', '--proc', '/proc', '--bind', join(lab.store, 'nix'), '/nix'];
}
