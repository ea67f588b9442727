import type { CallOptions, Environment } from '../call-options.ts';
import type { NixOptions } from './session.ts';

/** How Nix is called; only looked at where Nix is. */
export interface NixChoices {
  /** `-A`: the attribute to build. */
  readonly attribute?: string | undefined;
  /** `--arg`: names and Nix expressions. */
  readonly args?: Readonly<Record<string, string>> | undefined;
  /** `--argstr`: names and texts. */
  readonly argstrs?: Readonly<Record<string, string>> | undefined;
  /** `-I`: `nixpkgs=/a/folder` or a folder. */
  readonly include?: readonly string[] | undefined;
  /** Nix's own settings, as nix.conf has them. */
  readonly nixOptions?: readonly (readonly [name: string, value: string])[] | undefined;
  /** A chroot store's folder, `local` or `daemon`. Default: what this machine has. */
  readonly store?: string | undefined;
  /** @default 'bubblewrap' */
  readonly sandbox?: NixOptions['sandbox'] | undefined;
  /** More folders that Nix may read. */
  readonly show?: readonly string[] | undefined;
  /** Cut the network off. @default false */
  readonly offline?: boolean | undefined;
  /** Of all of Nix's work, in seconds. @default none */
  readonly timeout?: number | undefined;
}

/** A session's options: the choices with every default filled in. */
export function sessionOptions(
  choices: NixChoices,
  { env, signal, onProgress }: CallOptions & { readonly env: Environment },
): NixOptions {
  return {
    sandbox: choices.sandbox ?? 'bubblewrap',
    show: choices.show ?? [],
    offline: choices.offline ?? false,
    settings: choices.nixOptions ?? [],
    env,
    store: choices.store,
    timeoutSeconds: choices.timeout,
    signal,
    onProgress,
  };
}
