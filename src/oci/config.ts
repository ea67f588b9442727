import type { Digest } from './digest.ts';
import { type Json, canonicalJson } from './json.ts';
import type { Platform } from './platform.ts';

/** How a container is started (image specification, config.md "Properties", under `config`). */
export interface RuntimeConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** A user's name or number, with `:group` or without. Always a string: a number breaks skopeo, buildah and umoci. */
  readonly user: string;
  /** `8080/tcp`. */
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly workdir: string | null;
  readonly stopSignal: string | null;
}

export interface ImageConfig {
  readonly platform: Platform;
  /** Seconds since 1970. */
  readonly created: number;
  readonly runtime: RuntimeConfig;
  readonly layers: readonly {
    readonly diffId: Digest;
    /** What the history says of it. */
    readonly comment: string;
  }[];
}

/** The bytes of an image's config document (image specification, config.md). */
export function configDocument({ platform, created, runtime, layers }: ImageConfig): Uint8Array {
  const time = rfc3339(created);
  const { entrypoint, cmd, env, user, ports, volumes, labels, workdir, stopSignal } = runtime;
  return canonicalJson({
    created: time,
    ...platform,
    config: {
      Entrypoint: orNothing(entrypoint),
      Cmd: orNothing(cmd),
      Env: orNothing(env),
      User: user === '' ? undefined : user,
      ExposedPorts: set(ports),
      Volumes: set(volumes),
      Labels: Object.keys(labels).length === 0 ? undefined : labels,
      WorkingDir: workdir ?? undefined,
      StopSignal: stopSignal ?? undefined,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ comment }) => ({ created: time, created_by: 'oci-plone', comment })),
  });
}

/** A time as RFC 3339 has it, in UTC and whole seconds. */
export function rfc3339(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function orNothing(list: readonly string[]): Json | undefined {
  return list.length === 0 ? undefined : list;
}

/** Go's map[string]struct{}: the names are keys of empty objects. */
function set(names: readonly string[]): Json | undefined {
  return names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, {}]));
}
