import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing } from './fixtures.ts';

/** For node:test's `skip`: why no small disk can be mounted here, or false. */
export const noSmallDisk: string | false =
  process.geteuid?.() === 0 ? missing('mount', 'umount') || mountForbidden() : 'mounting a small tmpfs needs root';

function mountForbidden(): string | false {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'pipe' });
    return false;
  } catch {
    return 'this machine forbids mounting a tmpfs';
  }
}

/** A disk of so many mebibytes, for the time of `use`. */
export async function withSmallDisk(mebibytes: number, use: (disk: string) => Promise<void>): Promise<void> {
  const disk = mkdtempSync(join(tmpdir(), 'oci-plone-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'tmpfs', disk]);
  try {
    await use(disk);
  } finally {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  }
}
