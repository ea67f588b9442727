import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isAbsolute, normalize } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** The caller's homes: what HOME says, and what the password database says, which HOME may have been set to hide. */
export function homesOfCaller(env: Env): readonly string[] {
  return usable([env['HOME'] ?? '', homeOfEntry()]);
}

/** Every home of this machine: root's view of a folder may hold those of others. */
export function homesOfAll(): readonly string[] {
  let passwd = '';
  try {
    passwd = readFileSync('/etc/passwd', 'utf8');
  } catch {
    // A machine without: what HOME says is all there is.
  }
  return usable(passwd.split('\n').map((line) => line.split(':')[5] ?? ''));
}

function homeOfEntry(): string {
  try {
    return userInfo().homedir;
  } catch {
    // A user id without an entry, as containers have.
    return '';
  }
}

function usable(homes: readonly string[]): readonly string[] {
  const named = homes.filter((home) => isAbsolute(home)).map((home) => normalize(home).replace(/(?<=.)\/+$/, ''));
  return [...new Set(named)].filter((home) => home !== '/');
}
