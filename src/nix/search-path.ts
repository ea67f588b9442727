import { join, resolve } from 'node:path';
import { OciPloneError } from '../errors.ts';
import type { Judge, Shown } from './shown.ts';

/** One entry of Nix's search path, `nixpkgs=/folder` or `/folder` or something that Nix fetches. */
export interface SearchPathEntry {
  /** What Nix is told: a local path as its full path. */
  readonly text: string;
  readonly shown: Shown | null;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What `-I` names, now and for this: what is not there is INPUT_ABSENT. Relative paths are relative to the caller's folder. Throws as
 * `Judge.show` does.
 */
export function readIncludes(include: readonly string[], judge: Judge): readonly SearchPathEntry[] {
  return include.map((entry) => {
    try {
      return readEntry(entry, judge);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      throw new OciPloneError('INPUT_ABSENT', `-I ${entry}: ${error.message}`, {
        hint: 'Name a folder or file that exists, as NAME=PATH or PATH.',
        cause: error,
      });
    }
  });
}

/**
 * What NIX_PATH names; without it the places where Nix itself looks, of which the user's own would be lost with HOME.
 * Nix only warns about what is not there. Throws as `Judge.show` does for what NIX_PATH names.
 */
export function readNixPath(env: Env, judge: Judge): readonly SearchPathEntry[] {
  const named = env['NIX_PATH'];
  if (named !== undefined)
    return splitSearchPath(named).map((entry) => {
      try {
        return readEntry(entry, judge);
      } catch (error) {
        if (isAbsent(error)) return { text: entry, shown: null };
        throw error;
      }
    });
  const channels = [
    ...(env['HOME'] ? [join(env['HOME'], '.nix-defexpr/channels')] : []),
    'nixpkgs=/nix/var/nix/profiles/per-user/root/channels/nixpkgs',
    '/nix/var/nix/profiles/per-user/root/channels',
  ];
  return channels.flatMap((channel) => {
    try {
      const entry = readEntry(channel, judge);
      return entry.shown === null ? [] : [entry];
    } catch {
      return [];
    }
  });
}

function readEntry(entry: string, judge: Judge): SearchPathEntry {
  const equals = entry.indexOf('=');
  const prefix = equals < 0 ? '' : entry.slice(0, equals + 1);
  const path = entry.slice(prefix.length);
  if (path === '' || isFetched(path)) return { text: entry, shown: null };
  const shown = judge.show(resolve(path));
  return { text: `${prefix}${shown.path}`, shown };
}

function isAbsent(error: unknown): error is OciPloneError {
  return error instanceof OciPloneError && error.code === 'INPUT_ABSENT';
}

/** `https://…`, `channel:nixos-23.05`, `flake:nixpkgs`. */
function isFetched(path: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(path);
}

/** Splits at colons, except those of the URLs that Nix takes here. */
export function splitSearchPath(text: string): readonly string[] {
  const entries: string[] = [];
  for (const part of text.split(':')) {
    const last = entries.at(-1);
    const scheme = last === undefined ? undefined : /(?:^|=)([a-z][a-z0-9+.-]*)$/i.exec(last)?.[1];
    const joins = part.startsWith('//') || scheme === 'channel' || scheme === 'flake';
    if (last !== undefined && scheme !== undefined && joins) entries[entries.length - 1] = `${last}:${part}`;
    else entries.push(part);
  }
  return entries.filter((entry) => entry !== '');
}
