import { cpSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { fixture } from '../support/fixtures.ts';
import { type Ending, scratch } from '../support/scratch.ts';

/** A buildout's folder of the fixtures, to be written to. */
export function instanceFixture(t: Ending, name: string): string {
  const folder = join(scratch(t), 'plone');
  cpSync(fixture('instances', name), folder, { recursive: true });
  return folder;
}

/** Everything in a folder, sorted: kind and mode, name, and what a file holds or a link says. */
export function snapshot(folder: string): readonly string[] {
  return pathsIn(folder).map((name) => {
    const path = join(folder, name);
    const stats = lstatSync(path);
    const mode = (stats.mode & 0o777).toString(8);
    if (stats.isSymbolicLink()) return `link ${name} ${readlinkSync(path)}`;
    if (stats.isDirectory()) return `folder ${mode} ${name}`;
    return `file ${mode} ${name} ${readFileSync(path, 'utf8')}`;
  });
}

/** Names and modes of a snapshot. */
export function namesIn(folder: string): readonly string[] {
  return snapshot(folder).map((line) => line.split(' ').slice(0, 3).join(' '));
}

/** Node 20's own way of listing everything follows links. */
function pathsIn(folder: string, within: string = ''): readonly string[] {
  return readdirSync(join(folder, within), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(within, entry.name);
      return entry.isDirectory() ? [path, ...pathsIn(folder, path)] : [path];
    })
    .sort();
}
