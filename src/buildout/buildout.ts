import { resolve } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { malformed } from './failure.ts';
import { Macros } from './macro.ts';
import { originsOf } from './option.ts';
import type { Option, Sections } from './option.ts';
import type { Origin } from './origin.ts';
import { Resolver } from './resolver.ts';
import type { Resolving } from './resolver.ts';
import { missingOption } from './substitution.ts';
import { pinsOf } from './versions.ts';

/** A buildout that was read. Values are resolved when they are asked for. */
export interface Buildout {
  /** The file it was read from: a path, or a URL without credentials. */
  readonly file: string;
  /** The option `directory`, absolute. */
  readonly directory: string;
  readonly sections: readonly string[];
  has(section: string): boolean;
  /** Throws INPUT_MALFORMED where section or option are missing, or any option of the section cannot be resolved. */
  get(section: string, option: string): string;
  /** The same, with undefined for a section or an option that is missing. */
  find(section: string, option: string): string | undefined;
  /** As it was written, macros applied and nothing substituted: also of a section that cannot be resolved. */
  written(section: string, option: string): string | undefined;
  /** All of a section, resolved, in order. */
  section(section: string): ReadonlyMap<string, string>;
  /** Where a value comes from; several for `+=` and `-=`, the first of which set it. */
  origin(section: string, option: string): readonly Origin[];
  /** The effective pins, by PEP 503 name: see `pinsOf`. */
  versions(): ReadonlyMap<string, string>;
  /** Everything, for `buildout show`. */
  resolveAll(): Resolved;
}

export interface Resolved {
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly failures: readonly OciPloneError[];
}

/** A Buildout over merged sections, `folder` being what a relative `directory` is relative to. */
export class ReadBuildout implements Buildout {
  readonly file: string;
  readonly sections: readonly string[];
  readonly #folder: string;
  readonly #raw: Sections;
  readonly #macros: Macros;
  #resolver: Resolver | null = null;

  constructor(file: string, folder: string, raw: Sections) {
    this.file = file;
    this.#folder = folder;
    this.#raw = raw;
    this.#macros = new Macros(raw);
    this.sections = [...raw.keys()];
  }

  get directory(): string {
    return resolve(this.#folder, this.get('buildout', 'directory'));
  }

  has(section: string): boolean {
    return this.#raw.has(section);
  }

  get(section: string, option: string): string {
    return this.#with(section, (resolver, touched) => {
      const value = resolver.value(touched, option);
      if (value === undefined) throw missingOption(section, option, null, touched.raw.get('recipe')?.value);
      return value;
    });
  }

  find(section: string, option: string): string | undefined {
    if (!this.has(section)) return undefined;
    return this.#with(section, (resolver, touched) => resolver.value(touched, option));
  }

  section(section: string): ReadonlyMap<string, string> {
    return this.#with(section, (resolver, touched) => resolver.values(touched));
  }

  written(section: string, option: string): string | undefined {
    return this.#option(section, option)?.value;
  }

  origin(section: string, option: string): readonly Origin[] {
    const found = this.#option(section, option);
    return found === undefined ? [] : originsOf(found);
  }

  versions(): ReadonlyMap<string, string> {
    const section = this.#raw.get('buildout')?.get('versions')?.value ?? '';
    // Without a section of versions, zc.buildout keeps what it would have added to one.
    return pinsOf(section === '' ? new Map([['zc.recipe.egg', '>=2.0.6']]) : this.section(section));
  }

  resolveAll(): Resolved {
    const sections = new Map<string, ReadonlyMap<string, string>>();
    const failures = new Map<string, OciPloneError>();
    // zc.buildout ends where [buildout] or its versions fail; whoever mends a file wants to know of all that is wrong.
    const fault = this.#attempt(() => this.section('buildout'));
    for (const name of this.sections) {
      const failure = this.#attempt(() => {
        sections.set(
          name,
          this.#with(name, (resolver, touched) => resolver.values(touched), fault === null),
        );
      });
      if (failure !== null) failures.set(failure.message, failure);
    }
    if (fault !== null && failures.size === 0) failures.set(fault.message, fault);
    return { sections, failures: [...failures.values()] };
  }

  #option(section: string, option: string): Option | undefined {
    const raw = this.#raw.get(section);
    return raw === undefined ? undefined : this.#macros.apply(section, raw).get(option);
  }

  #attempt(work: () => unknown): OciPloneError | null {
    try {
      work();
      return null;
    } catch (error) {
      if (error instanceof OciPloneError) return error;
      throw error;
    }
  }

  /** Works on a section; after an error with a new resolver next time, as some sections are half done then. */
  #with<T>(section: string, work: (resolver: Resolver, touched: Resolving) => T, started = true): T {
    const resolver = this.#resolver ?? new Resolver(this.#raw, this.#macros);
    try {
      if (this.#resolver === null && started) resolver.start();
      this.#resolver = started ? resolver : null;
      return work(resolver, resolver.touch(section, null));
    } catch (error) {
      this.#resolver = null;
      throw neededBy(section, error);
    }
  }
}

function neededBy(section: string, error: unknown): unknown {
  if (error instanceof RangeError) return malformed(`[${section}]: references lead too deep`, '', error);
  if (!(error instanceof OciPloneError) || error.message.includes(`[${section}]`)) return error;
  return new OciPloneError(error.code, `${error.message}, needed by [${section}]`, { hint: error.hint, cause: error });
}
