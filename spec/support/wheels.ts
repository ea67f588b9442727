import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Zippable, strToU8, zipSync } from 'fflate';

export interface WheelSpec {
  readonly name: string;
  readonly version: string;
  /** Lines of Requires-Dist. */
  readonly requires?: readonly string[];
  readonly extras?: readonly string[];
  readonly requiresPython?: string;
  /** Modules, by path in site-packages. */
  readonly modules?: Readonly<Record<string, string>>;
  /** In place of METADATA. */
  readonly metadata?: Uint8Array;
  /** Other members of the zip. */
  readonly more?: Zippable;
}

/** A wheel that Python can install: metadata, a RECORD, and modules. The same bytes each time. */
export function wheelBytes(spec: WheelSpec): Uint8Array {
  const info = `${spec.name.replaceAll('-', '_')}-${spec.version}.dist-info`;
  const members: Record<string, Uint8Array> = {
    ...Object.fromEntries(Object.entries(spec.modules ?? {}).map(([path, text]) => [path, strToU8(text)])),
    [`${info}/METADATA`]: spec.metadata ?? strToU8(metadataOf(spec)),
    [`${info}/WHEEL`]: strToU8('Wheel-Version: 1.0\nGenerator: spec\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
  };
  const record = Object.entries(members).map(([path, bytes]) => `${path},sha256=${digest(bytes)},${bytes.length}\n`);
  const zip: Zippable = {
    ...members,
    [`${info}/RECORD`]: strToU8(`${record.join('')}${info}/RECORD,,\n`),
    ...spec.more,
  };
  return zipSync(zip, { mtime: new Date('1980-01-02T00:00:00Z') });
}

export function wheelName({ name, version }: Pick<WheelSpec, 'name' | 'version'>): string {
  return `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`;
}

/** Fills a folder with wheels. */
export function wheelhouse(folder: string, specs: readonly WheelSpec[]): string {
  mkdirSync(folder, { recursive: true });
  for (const spec of specs) writeFileSync(join(folder, wheelName(spec)), wheelBytes(spec));
  return folder;
}

function metadataOf({ name, version, requires = [], extras = [], requiresPython }: WheelSpec): string {
  return [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version}`,
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...extras.map((extra) => `Provides-Extra: ${extra}`),
    ...requires.map((line) => `Requires-Dist: ${line}`),
    '',
    '',
  ].join('\n');
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
