import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OciPloneError } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import { buildAttributes, buildExpression } from './build.ts';
import type { Built } from './build.ts';
import { closureOf, systemOf } from './closure.ts';
import type { Closure } from './closure.ts';
import { configure, folderOfSubstituter, secretFilesOf } from './configuration.ts';
import { credentialPlaces } from './credentials.ts';
import { findCertificates, makeEtc } from './etc.ts';
import { evaluate } from './evaluate.ts';
import { homesOfAll, homesOfCaller } from './homes.ts';
import type { Expression } from './instantiate.ts';
import type { Limits } from './limits.ts';
import { checkSandbox, findHolding } from './probe.ts';
import { findPrograms } from './programs.ts';
import type { Session } from './runner.ts';
import { readSettings, wordsOf } from './settings.ts';
import type { Setting } from './settings.ts';
import { Judge } from './shown.ts';
import type { Shown } from './shown.ts';
import { openStore, storeGroup } from './store.ts';
import { chooseBuilderIds } from './user-map.ts';
import { closeWorkspace, openWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

/** How Nix is run. */
export interface NixOptions {
  /** A folder that holds a store, `daemon` or `local`; undefined for the first that can be written. */
  readonly store?: string | undefined;
  readonly sandbox: 'bubblewrap' | 'none';
  /** Folders that Nix may read besides those that the expression and the settings name. */
  readonly show: readonly string[];
  /** Cuts the network. */
  readonly offline: boolean;
  /** Nix's own settings, which win over NIX_CONFIG and nix.conf. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** The caller's environment. Of it, an allow-list reaches Nix. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The time that all programs of the session may take together. */
  readonly timeoutSeconds?: number | undefined;
  /**
   * The time that Nix has to end its builders before it is killed with them.
   * @default 5000
   */
  readonly graceMilliseconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** What a session can do. */
export interface Nix {
  /**
   * Evaluates an expression and builds its one derivation. Throws INPUT_ABSENT, INPUT_MALFORMED, INPUT_REFUSED, USAGE,
   * NIX_FAILED, NIX_TIMEOUT, ABORTED.
   */
  build(expression: Expression): Promise<Built>;
  /** Builds several attributes of an expression, which is evaluated once. Throws as `build` does. */
  buildAttributes(expression: Expression, attributes: readonly string[]): Promise<readonly Built[]>;
  /** The value of an expression given as text; see `evaluate`. */
  evaluate(expression: string, include: readonly string[]): Promise<unknown>;
  /** The closure of a store path. Throws INPUT_ABSENT, INPUT_MALFORMED, NIX_FAILED, NIX_TIMEOUT, ABORTED. */
  closure(storePath: string): Promise<Closure>;
  /** The system a store path was built for, where the store knows. Throws as `closure` does. */
  systemOf(storePath: string): Promise<string | null>;
}

/**
 * Opens a session with Nix, and closes it whatever happens: no process and no temporary file of it is left. Throws
 * NIX_ABSENT, SANDBOX_UNAVAILABLE, INPUT_ABSENT, INPUT_REFUSED, USAGE, LOCAL_IO.
 */
export async function withNix<T>(options: NixOptions, use: (nix: Nix) => Promise<T>): Promise<T> {
  const programs = findPrograms(options.env, options.sandbox);
  const workspace = openWorkspace(options.env);
  try {
    const session = openSession(options, programs, workspace);
    const check = once(() => checkSandbox(session));
    const findHoldingOnce = once(() => findHolding(session, options.onProgress));
    return await use({
      async build(expression) {
        await check();
        return buildExpression(session, expression, findHoldingOnce);
      },
      async buildAttributes(expression, attributes) {
        await check();
        return buildAttributes(session, expression, attributes, findHoldingOnce);
      },
      async evaluate(expression, include) {
        await check();
        return evaluate(session, expression, include);
      },
      closure: (storePath) => explained(check, () => closureOf(session, storePath)),
      systemOf: (storePath) => explained(check, () => systemOf(session, storePath)),
    });
  } finally {
    closeWorkspace(workspace);
  }
}

function openSession(options: NixOptions, programs: Session['programs'], workspace: Workspace): Session {
  const { env, offline, onProgress } = options;
  const settings = readSettings(env, options.settings);
  const machineFolder = env['NIX_CONF_DIR'] || '/etc/nix';
  const secretFiles = secretFilesOf(settings, machineFolder);
  const judge = new Judge(() => {
    const homes = homesOfCaller(env);
    const settingFiles = secretFiles.map(({ source }) => source);
    return { homes, places: credentialPlaces(env, [...homes, ...homesOfAll()], settingFiles) };
  });
  // Before a store is made: what is refused leaves nothing behind.
  const shown = [...options.show.map((path) => judge.show(path)), ...caches(settings, judge)];
  const store = openStore(options.store, env);
  const session: Session = {
    env,
    programs,
    store,
    workspace,
    settings,
    secretFiles,
    certificates: findCertificates(env),
    judge,
    shown,
    builders: chooseBuilderIds(storeGroup(store)),
    offline,
    limits: limitsOf(options, workspace),
    onLine: (line) => onProgress?.({ kind: 'nix', line }),
  };
  makeEtc(workspace.etc, {
    nixConf: configure(settings, {
      step: 'evaluation',
      daemon: store.kind === 'daemon',
      bubblewrap: programs.bubblewrap !== null,
      offline,
      holding: 'view',
      secretFiles,
    }).file,
    certificates: session.certificates,
    machineFolder,
    builders: session.builders,
    placeholders: secretFiles.map(({ target }) => target),
  });
  const nothing = join(workspace.folder, 'nothing');
  writeFileSync(nothing, '');
  chmodSync(nothing, 0o000);
  return session;
}

/** A question to the store, which is short: whether the sandbox works is only looked at where it failed. */
async function explained<T>(check: () => Promise<void>, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    await check();
    throw error;
  }
}

/** Asks once, and keeps the answer. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  return () => (answer ??= ask());
}

/** The folders of binary caches on this machine. One that is absent is for Nix to warn about. */
function caches(settings: readonly Setting[], judge: Judge): readonly Shown[] {
  const words = [...wordsOf(settings, 'substituters'), ...wordsOf(settings, 'trusted-substituters')];
  const folders = words.map(folderOfSubstituter).filter((folder) => folder !== null);
  return [...new Set(folders)].flatMap((folder) => {
    try {
      return [judge.show(folder)];
    } catch (error) {
      if (error instanceof OciPloneError && error.code === 'INPUT_ABSENT') return [];
      throw error;
    }
  });
}

function limitsOf(options: NixOptions, workspace: Workspace): Limits {
  const { timeoutSeconds, graceMilliseconds = 5000, signal } = options;
  return {
    signal,
    remaining: timeoutSeconds === undefined ? Infinity : timeoutSeconds * 1000,
    seconds: timeoutSeconds,
    grace: graceMilliseconds,
    mark: workspace.folder,
  };
}
