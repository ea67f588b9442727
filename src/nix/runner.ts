import { existsSync } from 'node:fs';
import { configure } from './configuration.ts';
import type { SecretFile } from './configuration.ts';
import { environmentOf } from './environment.ts';
import type { Holding } from './holding.ts';
import type { Limits } from './limits.ts';
import { isWithin } from './paths.ts';
import type { Programs } from './programs.ts';
import { run } from './run.ts';
import type { Ended } from './run.ts';
import { bubblewrapArguments, storeArgument } from './sandbox.ts';
import type { Setting } from './settings.ts';
import type { Judge, Shown } from './shown.ts';
import { withoutNested } from './shown.ts';
import type { Store } from './store.ts';
import type { BuilderIds } from './user-map.ts';
import type { Workspace } from './workspace.ts';

/** What a session found out when it was opened, and every step needs. */
export interface Session {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly programs: Programs;
  readonly store: Store;
  readonly workspace: Workspace;
  readonly settings: readonly Setting[];
  readonly secretFiles: readonly SecretFile[];
  readonly certificates: string | null;
  readonly judge: Judge;
  /** What every step sees: --show and the folders of `file://` substituters. */
  readonly shown: readonly Shown[];
  readonly builders: BuilderIds;
  readonly offline: boolean;
  readonly limits: Limits;
  readonly onLine: (line: string) => void;
}

/** One call of a program of Nix. */
export interface Step {
  readonly kind: 'evaluation' | 'realisation';
  readonly holding: Holding;
  /** Bubblewrap itself is started to try a sandbox inside the sandbox. */
  readonly program: 'instantiate' | 'store' | 'nix' | 'bubblewrap';
  readonly args: readonly string[];
  readonly shown?: readonly Shown[];
  readonly nixPath?: readonly string[];
  readonly folder?: string;
  /** Called in place of the session's. */
  readonly onLine?: (line: string) => void;
}

/** Runs one step inside the sandbox, or as it is where none was wanted. Throws as `run` does. */
export async function runStep(session: Session, step: Step): Promise<Ended> {
  const { programs, store, workspace, env } = session;
  const bubblewrap = programs.bubblewrap;
  const realisation = step.kind === 'realisation';
  const program = programs[step.program] ?? step.program;
  const readableFiles = realisation ? session.secretFiles.filter(({ source }) => existsSync(source)) : [];
  const secretFiles =
    bubblewrap === null ? readableFiles.map((file) => ({ ...file, target: file.source })) : readableFiles;
  const { variable } = configure(session.settings, {
    step: step.kind,
    daemon: store.kind === 'daemon',
    bubblewrap: bubblewrap !== null,
    offline: session.offline,
    holding: step.holding,
    secretFiles,
  });
  const shown = withoutNested([...session.shown, ...(step.shown ?? [])]);
  const privateTmp = bubblewrap !== null && !shown.some(({ path }) => isWithin('/tmp', path));
  const environment = environmentOf(env, step.kind, {
    programs,
    store,
    workspace,
    configuration: variable,
    certificates: session.certificates,
    bubblewrap: bubblewrap !== null,
    privateTmp,
    nixPath: step.nixPath ?? [],
  });
  const storeFlags = ['--store', storeArgument(store, programs.nixInNix, bubblewrap !== null)];
  const args = [...(step.program === 'bubblewrap' ? [] : storeFlags), ...step.args];
  const folder = step.folder ?? workspace.temporary;
  const onLine = step.onLine ?? session.onLine;
  if (bubblewrap === null) {
    return run({ program, args, env: environment, bubblewrap: null, folder }, session.limits, onLine);
  }
  const agent = environment['SSH_AUTH_SOCK'];
  const flags = bubblewrapArguments(
    {
      store,
      nixInNix: programs.nixInNix,
      workspace,
      programFolders: programs.folders,
      shown,
      masks: session.judge.masks(shown),
      secretFiles,
      privateTmp,
      agent: agent !== undefined && existsSync(agent) ? agent : null,
      network: !session.offline,
      folder: shown.some(({ path }) => isWithin(folder, path)) ? folder : workspace.temporary,
    },
    step.holding,
  );
  return run(
    {
      program: bubblewrap,
      args: [...flags, program, ...args],
      env: environment,
      bubblewrap: { builders: step.holding === 'users' ? session.builders : null },
      folder: '/',
    },
    session.limits,
    onLine,
  );
}
