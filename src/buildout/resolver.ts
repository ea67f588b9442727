import { checkSwitches, eggsFolder, resolvedFolders } from './defaults.ts';
import { malformed, quoted } from './failure.ts';
import type { Macros } from './macro.ts';
import type { Section, Sections } from './option.ts';
import { lastOrigins } from './option.ts';
import { place } from './origin.ts';
import { missingOption, missingSection, referenceTo } from './substitution.ts';
import type { Site } from './substitution.ts';
import { words } from './whitespace.ts';

/** A section while it is resolved: zc.buildout's Options. */
export interface Resolving {
  readonly name: string;
  raw: Section;
  /** Values after the first substitution, which happens as soon as a section is touched. */
  readonly cooked: Map<string, string>;
  readonly data: Map<string, string>;
}

/** A value of this size was made by substitutions that double each other. */
const LONGEST = 8 * 1024 * 1024;

/**
 * Resolves sections as zc.buildout does, in its order: [buildout] first; a section with all of its options as soon as one
 * of them is asked for, its macros before its substitutions. Recipes are never loaded. After an error this object is of
 * no more use, as some sections are half done.
 */
export class Resolver {
  readonly #sections: Sections;
  readonly #macros: Macros;
  readonly #touched = new Map<string, Resolving>();

  constructor(sections: Sections, macros: Macros) {
    this.#sections = sections;
    this.#macros = macros;
  }

  /** To be called first, unless [buildout] itself is at fault and the rest is wanted all the same. */
  start(): void {
    const buildout = this.touch('buildout', null);
    checkSwitches(buildout.raw, this.values(buildout));
    for (const [name, value] of resolvedFolders(this.values(buildout))) buildout.data.set(name, value);
    // The versions are resolved before the folder of eggs has its last name.
    const versions = buildout.raw.get('versions')?.value ?? '';
    if (versions !== '') this.values(this.touch(versions, this.#site(buildout, 'versions')));
    buildout.data.set('eggs-directory', eggsFolder(this.values(buildout)));
  }

  /** The section, with its substitutions done. `from` is who asks. */
  touch(name: string, from: Site | null): Resolving {
    const known = this.#touched.get(name);
    if (known !== undefined) return known;
    const raw = this.#sections.get(name);
    if (raw === undefined) throw missingSection(name, from);
    const section: Resolving = { name, raw, cooked: new Map(), data: new Map() };
    this.#touched.set(name, section);
    section.raw = this.#macros.apply(name, raw);
    for (const [key, option] of [...section.raw].sort(([left], [right]) => (left < right ? -1 : 1))) {
      if (option.value.includes('${')) {
        section.cooked.set(key, this.#substitute(option.value, section, [this.#site(section, key)]));
      }
    }
    if (name !== 'buildout') this.#touchDependencies(section);
    return section;
  }

  /** Its value, or undefined where it is not there. */
  value(section: Resolving, key: string, seen: Site[] = []): string | undefined {
    const known = section.data.get(key);
    if (known !== undefined) return known;
    let value = section.cooked.get(key) ?? section.raw.get(key)?.value;
    if (value === undefined) return undefined;
    if (value.includes('${')) {
      const site = this.#site(section, key);
      const again = seen.findIndex((other) => other.section === site.section && other.option === key);
      if (again !== -1) throw circular([...seen.slice(again), site]);
      seen.push(site);
      value = this.#substitute(value, section, seen);
      seen.pop();
    }
    section.data.set(key, value);
    return value;
  }

  /** All of a section, in order. */
  values(section: Resolving): Map<string, string> {
    const values = new Map<string, string>();
    for (const key of [...section.raw.keys(), ...section.data.keys()]) {
      const value = this.value(section, key);
      if (value !== undefined) values.set(key, value);
    }
    return values;
  }

  #touchDependencies(section: Resolving): void {
    const key = '<part-dependencies>';
    for (const name of words(this.value(section, key) ?? '')) this.touch(name, this.#site(section, key));
  }

  /** `$$` keeps what follows it from being a substitution, and stays. */
  #substitute(template: string, section: Resolving, seen: Site[]): string {
    const value = template
      .split('$$')
      .map((part) => this.#fill(part, section, seen))
      .join('$$');
    if (value.length > LONGEST) {
      const site = seen.at(-1);
      throw malformed(
        `[${section.name}] ${site?.option ?? ''} (${site?.place ?? ''}): the value grows beyond all measure`,
      );
    }
    return value;
  }

  #fill(template: string, section: Resolving, seen: Site[]): string {
    const site = seen.at(-1) ?? this.#site(section, '');
    return template
      .split(/([$]\{[^}]*\})/)
      .map((part, index) => (index % 2 === 0 ? part : this.#follow(part, section, site, seen)))
      .join('');
  }

  #follow(reference: string, section: Resolving, site: Site, seen: Site[]): string {
    const { section: named, option } = referenceTo(reference, site);
    const target = this.touch(named === '' ? section.name : named, site);
    const value = this.value(target, option, seen);
    if (value !== undefined) return value;
    if (option === '_buildout_section_name_') return section.name;
    throw missingOption(target.name, option, site, this.#recipeOf(target));
  }

  #recipeOf(section: Resolving): string | undefined {
    return section.raw.get('recipe')?.value;
  }

  #site(section: Resolving, option: string): Site {
    const found = section.raw.get(option);
    return { section: section.name, option, place: found === undefined ? '' : place(lastOrigins(found)[0]) };
  }
}

function circular(chain: readonly Site[]): Error {
  const [first] = chain;
  const names = chain.map(({ section, option }) => quoted(`${section}:${option}`).slice(1, -1)).join(' → ');
  return malformed(
    `[${first?.section ?? ''}] ${first?.option ?? ''} (${first?.place ?? ''}): a circular substitution, ${names}`,
    'Take one of these references away.',
  );
}
