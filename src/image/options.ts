import { basename, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { CallOptions, Environment } from '../call-options.ts';
import { OciPloneError } from '../errors.ts';
import { type ArchiveLimits, DEFAULT_LIMITS } from '../layer/archive-limits.ts';
import { COMPRESSIONS, type Compression, ENCODERS, type EncoderName } from '../layer/encoder.ts';
import type { NixChoices } from '../nix/choices.ts';
import type { BakedInstance } from './baked-instance.ts';
import { type Platform, parsePlatform } from '../oci/platform.ts';
import { type Reference, isTag, parseReference } from '../oci/reference.ts';
import type { OnProgress } from '../progress.ts';
import type { ResolvingChoices } from '../project/options.ts';

const SANDBOXES = ['bubblewrap', 'none'] as const;
const LAYERINGS = ['one', 'verbatim'] as const;
/** What makes Python work in an image from scratch; each can be left out by its name. */
const DEFAULTS = ['tmp', 'passwd', 'home', 'path', 'certificates', 'ports', 'user', 'volumes'] as const;

/** Options that take one of a few words. */
export const CHOICES: {
  readonly sandbox: typeof SANDBOXES;
  readonly layers: typeof LAYERINGS;
  readonly encoder: typeof ENCODERS;
  readonly compression: typeof COMPRESSIONS;
  readonly without: typeof DEFAULTS;
} = { sandbox: SANDBOXES, layers: LAYERINGS, encoder: ENCODERS, compression: COMPRESSIONS, without: DEFAULTS };

export type DefaultName = (typeof DEFAULTS)[number];

/** What the image says of how it is run. */
export interface ImageChoices {
  /** @default ['/app/bin/python'] */
  readonly entrypoint?: readonly string[] | undefined;
  /** @default [] */
  readonly cmd?: readonly string[] | undefined;
  /** `NAME=value`, beside the defaults. */
  readonly environment?: readonly string[] | undefined;
  readonly workdir?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly stopSignal?: string | undefined;
  /** @default ['8080/tcp'] */
  readonly ports?: readonly string[] | undefined;
  /** @default '1000' */
  readonly user?: string | undefined;
  /** `os/architecture[/variant]`. Default: what the entrypoint's ELF header, or the derivation, says. */
  readonly platform?: string | undefined;
  /** Defaults to leave out. */
  readonly without?: readonly DefaultName[] | undefined;
}

export interface RegistryChoices {
  /** `HOST[:PORT]`s that are spoken to without TLS. Loopback names always are. */
  readonly insecureRegistries?: readonly string[] | undefined;
}

/** What of a buildout is packed; only where the input is one. */
export interface BuildoutPackChoices extends ResolvingChoices {
  /** The section of the recipe `oci-plone` that describes the image, where there are several. */
  readonly image?: string | undefined;
  /** The section of plone.recipe.zope2instance that goes into the image, where there are several; false for none. */
  readonly instance?: string | false | undefined;
  /** The buildout's own password goes into the image, too: for demonstrations. @default false */
  readonly bakeUser?: boolean | undefined;
}

export interface PackOptions extends BuildoutPackChoices, NixChoices, ImageChoices, RegistryChoices, CallOptions {
  /**
   * A buildout (`*.cfg`), a Nix expression (`*.nix`), a store path or a link to one, an archive, or a stream of an archive.
   */
  readonly input: string | Readable;
  /**
   * A layout's folder, or `*.tar` for an archive that is OCI archive and docker-archive in one. Default: the input's name
   * (of a buildout, the packed part's) with `.oci`, in the current folder; nothing where the image is only pushed.
   */
  readonly output?: string | undefined;
  /** The reference inside the output. @default 'latest' */
  readonly tag?: string | undefined;
  /** References in registries. */
  readonly push?: readonly string[] | undefined;
  /** Read every store path anew and compare it with the hash that the store has of it. @default false */
  readonly checkStore?: boolean | undefined;
  /** `verbatim` keeps a `.tar.gz` as the layer's blob, byte for byte. @default 'one' */
  readonly layers?: (typeof LAYERINGS)[number] | undefined;
  /** @default 'libdeflate' */
  readonly encoder?: EncoderName | undefined;
  /** @default 'gzip' */
  readonly compression?: Compression | undefined;
  /** How much an archive may ask for. */
  readonly limits?: { readonly [K in keyof ArchiveLimits]?: number | undefined } | undefined;
}

/** Pack's options with every default filled in and every text read. */
export interface PackJob {
  readonly input: string | Readable;
  readonly output: { readonly kind: 'folder' | 'archive'; readonly path: string } | null;
  readonly tag: string;
  readonly push: readonly Reference[];
  readonly insecureRegistries: readonly string[];
  readonly layers: (typeof LAYERINGS)[number];
  readonly encoder: EncoderName;
  readonly compression: Compression;
  readonly limits: ArchiveLimits;
  readonly nix: NixChoices;
  /** What is built beside the expression's environment. */
  readonly instance: BakedInstance | null;
  readonly checkStore: boolean;
  readonly image: {
    readonly entrypoint: readonly string[];
    readonly cmd: readonly string[];
    readonly environment: readonly string[];
    readonly workdir: string | null;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly volumes: readonly string[];
    readonly stopSignal: string | null;
    readonly ports: readonly string[];
    readonly user: string;
    readonly platform: Platform | null;
    readonly defaults: ReadonlySet<DefaultName>;
  };
  /** SOURCE_DATE_EPOCH, or 0. */
  readonly created: number;
  readonly env: Environment;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
}

/** Reads and checks everything that can be checked before any work begins. Throws USAGE. */
export function packJob(options: PackOptions, instance: BakedInstance | null = null): PackJob {
  const env = options.env ?? process.env;
  const push = (options.push ?? []).map(parseReference);
  const tag = options.tag ?? 'latest';
  if (!isTag(tag)) throw usage('tag', 'letters, digits, ".", "_" or "-", at most 128', tag);
  for (const name of ['layers', 'encoder', 'compression', 'sandbox'] as const)
    oneOf(name, options[name], CHOICES[name]);
  for (const name of options.without ?? []) oneOf('without', name, CHOICES.without);
  if (options.timeout !== undefined && !(options.timeout > 0))
    throw usage('timeout', 'seconds above 0', options.timeout);
  return {
    input: options.input,
    output: outputOf(options),
    tag,
    push,
    insecureRegistries: options.insecureRegistries ?? [],
    layers: options.layers ?? 'one',
    encoder: options.encoder ?? 'libdeflate',
    compression: options.compression ?? 'gzip',
    limits: limitsOf(options.limits ?? {}),
    nix: options,
    instance,
    checkStore: options.checkStore ?? false,
    image: imageOf(options),
    created: sourceDate(env),
    env,
    signal: options.signal,
    onProgress: options.onProgress,
  };
}

function imageOf(options: ImageChoices): PackJob['image'] {
  const defaults = new Set(DEFAULTS.filter((name) => !(options.without ?? []).includes(name)));
  return {
    entrypoint: options.entrypoint ?? ['/app/bin/python'],
    cmd: options.cmd ?? [],
    environment: (options.environment ?? []).map((pair) => checked('environment', /^[^=\0]+=/, 'NAME=value', pair)),
    workdir: options.workdir === undefined ? null : absolute('workdir', options.workdir),
    labels: options.labels ?? {},
    annotations: options.annotations ?? {},
    volumes: (options.volumes ?? []).map((path) => absolute('volumes', path)),
    stopSignal: options.stopSignal === undefined ? null : stopSignal(options.stopSignal),
    ports: options.ports?.map(portOf) ?? (defaults.has('ports') ? ['8080/tcp'] : []),
    user: options.user === undefined ? (defaults.has('user') ? '1000' : '') : userOf(options.user),
    platform: options.platform === undefined ? null : parsePlatform(options.platform),
    defaults,
  };
}

function outputOf({ input, output, push = [] }: PackOptions): PackJob['output'] {
  if (output === undefined && push.length > 0) return null;
  const path = output ?? defaultOutput(input);
  if (/\.(tgz|tar\.(gz|zst|bz2|xz))$/.test(path))
    throw new OciPloneError('USAGE', `"output" expected a folder or a *.tar, got ${JSON.stringify(path)}`, {
      hint: 'The layers of an image archive are compressed already: name it *.tar.',
    });
  return { kind: path.endsWith('.tar') ? 'archive' : 'folder', path: resolve(path) };
}

/** `plone-env.nix`, `plone-env.nix.tar.gz` and `plone-env` all give `./plone-env.oci`. */
function defaultOutput(input: string | Readable): string {
  if (typeof input !== 'string')
    throw new OciPloneError('USAGE', '"output" is needed where the input is a stream', {
      hint: 'Add -o FOLDER, or --push REFERENCE.',
    });
  return `${basename(input).replace(/(\.nix)?(\.tar(\.\w+)?|\.tgz)?$/, '')}.oci`;
}

function limitsOf({ entries, bytes, ratio }: NonNullable<PackOptions['limits']>): ArchiveLimits {
  for (const [name, value] of Object.entries({ entries, bytes, ratio }))
    if (value !== undefined && !(value > 0)) throw usage(`limits.${name}`, 'a number above 0', value);
  return {
    entries: entries ?? DEFAULT_LIMITS.entries,
    bytes: bytes ?? DEFAULT_LIMITS.bytes,
    ratio: ratio ?? DEFAULT_LIMITS.ratio,
  };
}

/** The reproducible-builds convention: seconds since 1970. */
function sourceDate(env: Environment): number {
  const text = env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return 0;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds > 253_402_300_799) throw usage('SOURCE_DATE_EPOCH', 'seconds since 1970', text);
  return seconds;
}

function portOf(port: string): string {
  const [, number, protocol = '/tcp'] = /^(\d{1,5})(\/(?:tcp|udp|sctp))?$/.exec(port) ?? [];
  if (number === undefined || Number(number) < 1 || Number(number) > 65_535)
    throw usage('ports', 'NUMBER[/tcp|/udp|/sctp]', port);
  return `${Number(number)}${protocol}`;
}

function userOf(user: string): string {
  return checked('user', /^[a-z0-9_][a-z0-9_.-]*(:[a-z0-9_][a-z0-9_.-]*)?$/i, 'USER[:GROUP]', user);
}

function stopSignal(text: string): string {
  return checked('stopSignal', /^(SIG[A-Z0-9+-]+|\d{1,2})$/, 'a name such as SIGINT, or a number', text);
}

function absolute(option: string, path: string): string {
  return checked(option, /^\//, 'an absolute path in the image', path);
}

function checked(option: string, shape: RegExp, rule: string, text: string): string {
  if (!shape.test(text)) throw usage(option, rule, text);
  return text;
}

function oneOf(option: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) throw usage(option, allowed.join(', '), value);
}

/** Names the option, the rule and the value. */
export function usage(option: string, rule: string, value: unknown): OciPloneError {
  return new OciPloneError('USAGE', `"${option}" expected ${rule}, got ${JSON.stringify(value)}`);
}
