import { writeFile } from 'node:fs/promises';

/** Ids outside of the sandbox that stand for Nix's builders. */
export interface BuilderIds {
  readonly firstUser: number;
  readonly count: number;
  readonly group: number;
}

/** As many builders as a usual multi-user installation of Nix has. */
const COUNT = 32;

/** Above what systemd and Nix itself hand out (systemd's UIDS-GIDS.md), and below 2^31. */
const FIRST = 0x6a00_0000;

/** The group of the store's folder in a usual installation. */
const GROUP = 30_000;

/**
 * Ids for one session. Nix ends a build by killing every process of its builder's id, so that two sessions on one machine,
 * whose stores do not know of each other, must not share them. Nobody gains by a guess.
 */
export function chooseBuilderIds(group: number | null): BuilderIds {
  return { firstUser: FIRST + Math.floor(Math.random() * 2 ** 20) * COUNT, count: COUNT, group: group ?? GROUP };
}

/** Gives a new user namespace root and the builders, as user_namespaces(7) wants it: one write each. */
export async function writeMaps(pid: number, ids: BuilderIds): Promise<void> {
  await writeFile(`/proc/${pid}/uid_map`, `0 0 1\n${ids.firstUser} ${ids.firstUser} ${ids.count}\n`);
  await writeFile(`/proc/${pid}/gid_map`, `0 0 1\n${ids.group} ${ids.group} 1\n`);
}

/** The capabilities that Nix needs in its namespace to change to a builder and to make the builder's sandbox. */
export const CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_SETFCAP',
  'CAP_SYS_ADMIN',
  'CAP_SYS_CHROOT',
  'CAP_NET_ADMIN',
];
