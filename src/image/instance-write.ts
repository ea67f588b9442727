import {
  type Stats,
  chmodSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { throwIfAborted } from '../errors.ts';
import type { InstancePlan, PlannedFile, PlannedFolder, PlannedLink } from '../plone/plan.ts';

/** Programs that are started by their path, not by Python's. */
const PROGRAM_MODE = 0o755;

/** Whatever the umask says: the container's user is often another one. */
const FOLDER_MODE = 0o755;

export interface WriteOptions {
  /** The buildout's folder. */
  readonly from: string;
  readonly to: string;
  readonly signal: AbortSignal | undefined;
}

/** Writes what a plan says into a new folder; owners and modes are those of the buildout's folder. */
export function writePlanned(
  { files, folders, links }: Pick<InstancePlan, 'files' | 'folders' | 'links'>,
  options: WriteOptions,
): void {
  const { from, to } = options;
  mkdirSync(to);
  chmodSync(to, FOLDER_MODE);
  own(to, statsAbove(from));
  for (const folder of folders) writeFolder(folder, options);
  for (const file of files) {
    throwIfAborted(options.signal);
    writeFile(file, options);
  }
  for (const link of links) writeLink(link, options);
}

/** Makes one folder, and those above it. */
export function writeFolder({ path, mode }: PlannedFolder, { from, to }: Omit<WriteOptions, 'signal'>): void {
  makeParents(path, { from, to });
  const made = mkdirSync(join(to, path), { recursive: true });
  if (made !== undefined || from !== to) {
    chmodSync(join(to, path), mode);
    own(join(to, path), statsAbove(join(from, path)));
  }
}

function writeFile({ path, text }: PlannedFile, { from, to }: Omit<WriteOptions, 'signal'>): void {
  const [source, target] = [join(from, path), join(to, path)];
  makeParents(path, { from, to });
  const stats = lstatSync(source, { throwIfNoEntry: false });
  if (text === null) copyFileSync(source, target);
  else writeFileSync(target, text, { flag: 'wx' });
  const program = path.endsWith('/bin/interpreter') || path === 'instance.py';
  chmodSync(target, program || stats === undefined ? PROGRAM_MODE : stats.mode & 0o777);
  own(target, stats ?? statsAbove(source));
}

function writeLink({ path, target }: PlannedLink, { from, to }: WriteOptions): void {
  makeParents(path, { from, to });
  symlinkSync(target, join(to, path));
  own(join(to, path), statsAbove(join(from, path)));
}

function makeParents(path: string, { from, to }: Omit<WriteOptions, 'signal'>): void {
  const parent = dirname(path);
  if (parent === '.' || lstatSync(join(to, parent), { throwIfNoEntry: false }) !== undefined) return;
  makeParents(parent, { from, to });
  mkdirSync(join(to, parent));
  chmodSync(join(to, parent), FOLDER_MODE);
  own(join(to, parent), statsAbove(join(from, parent)));
}

/** Of a path, or of the next folder above it that there is. */
function statsAbove(path: string): Stats {
  return lstatSync(path, { throwIfNoEntry: false }) ?? statsAbove(dirname(path));
}

/** Root gives files to whom they belonged; for anybody else they are the caller's own. */
function own(path: string, { uid, gid }: Stats): void {
  const now = lstatSync(path);
  if (now.uid === uid && now.gid === gid) return;
  try {
    lchownSync(path, uid, gid);
  } catch {
    // EPERM: only root may give away.
  }
}

/** Whether two trees hold the same names, contents, and targets of links. */
export function sameTree(one: string, other: string): boolean {
  const [stats, others] = [lstatSync(one), lstatSync(other, { throwIfNoEntry: false })];
  if (others === undefined || (stats.mode & 0o170_000) !== (others.mode & 0o170_000)) return false;
  if (stats.isSymbolicLink()) return readlinkSync(one) === readlinkSync(other);
  if (stats.isFile()) return statSync(one).size === others.size && readFileSync(one).equals(readFileSync(other));
  if (!stats.isDirectory()) return true;
  const [names, otherNames] = [readdirSync(one).sort(), readdirSync(other).sort()];
  return (
    names.length === otherNames.length &&
    names.every((name, index) => name === otherNames[index] && sameTree(join(one, name), join(other, name)))
  );
}
