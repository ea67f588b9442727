import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { localError } from '../errors.ts';

/**
 * The one temporary folder of a session, on disk and readable by nobody else. Its parts are seen by Nix under the same
 * names as outside, so that a path in a message, or in a root of the garbage collector, means the same on both sides.
 */
export interface Workspace {
  readonly folder: string;
  /** HOME of Nix. */
  readonly home: string;
  /** TMPDIR of Nix: builds happen here. */
  readonly temporary: string;
  /** Links that keep what was built from being collected while the session lasts. */
  readonly roots: string;
  /** What stands at /etc in the sandbox. */
  readonly etc: string;
}

/** Makes the folder below TMPDIR, or /tmp. Throws LOCAL_IO. */
export function openWorkspace(env: Readonly<Record<string, string | undefined>>): Workspace {
  const parent = env['TMPDIR'] || '/tmp';
  try {
    const folder = mkdtempSync(join(realpathSync.native(parent), 'oci-plone-nix-'));
    const workspace = {
      folder,
      home: join(folder, 'home'),
      temporary: join(folder, 'tmp'),
      roots: join(folder, 'roots'),
      etc: join(folder, 'etc'),
    };
    for (const part of [workspace.home, workspace.temporary, workspace.roots, workspace.etc]) mkdirSync(part);
    return workspace;
  } catch (error) {
    throw localError(`making a temporary folder in ${parent}`, error);
  }
}

/** Removes the folder, also where a stopped build left folders without write permission. */
export function closeWorkspace({ folder }: Workspace): void {
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    remove();
  } catch {
    makeWritable(folder);
    try {
      remove();
    } catch (error) {
      throw localError(`removing ${folder}`, error);
    }
  }
}

/** As far as this user may. */
function makeWritable(folder: string): void {
  try {
    chmodSync(folder, 0o700);
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) makeWritable(join(folder, entry.name));
  } catch {
    // What stays is for the removal to complain about.
  }
}
