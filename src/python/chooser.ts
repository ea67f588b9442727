import type { Bounded } from './bounds.ts';
import { fitsPython } from './choose.ts';
import type { IndexFile } from './index-file.ts';
import type { CoreMetadata } from './metadata.ts';
import type { PackageIndex, Project } from './package-index.ts';
import { remember } from './remember.ts';
import { formatSpecifiers } from './specifier.ts';
import type { Specifier } from './specifier.ts';

/** What was chosen, or, where nothing fits, all that there was to choose from. */
export type Choice =
  { readonly file: IndexFile; readonly metadata: CoreMetadata } | { readonly file: null; readonly project: Project };

/** Chooses a file for the clauses of a project, once: the choice is kept, the pages it was made from are not. */
export class Chooser {
  readonly #bounded: Bounded;
  readonly #index: PackageIndex;
  readonly #known = new Map<string, Promise<Choice>>();

  constructor(bounded: Bounded, index: PackageIndex) {
    this.#bounded = bounded;
    this.#index = index;
  }

  async choose(name: string, specifiers: readonly Specifier[]): Promise<Choice> {
    return remember(this.#known, `${name} ${formatSpecifiers(specifiers)}`, async () => this.#look(name, specifiers));
  }

  async #look(name: string, specifiers: readonly Specifier[]): Promise<Choice> {
    // A folder's listing does not tell Requires-Python: what metadata tells of it is kept here.
    const known = new Map<string, string | null>();
    for (;;) {
      const pick = await this.#pick(name, specifiers, known);
      if (pick.file === null) return pick;
      const { file } = pick;
      const metadata = await this.#index.metadata(file);
      if (fitsPython(metadata.requiresPython, this.#bounded.rules.python)) return { file, metadata };
      known.set(file.file, metadata.requiresPython);
    }
  }

  /** A step of its own, so that nothing holds the project's files while metadata is waited for. */
  async #pick(
    name: string,
    specifiers: readonly Specifier[],
    known: ReadonlyMap<string, string | null>,
  ): Promise<{ readonly file: IndexFile } | { readonly file: null; readonly project: Project }> {
    const project = await this.#index.project(name);
    const files = project.files.map((file) => {
      const requiresPython = known.get(file.file);
      return requiresPython === undefined ? file : { ...file, requiresPython };
    });
    const file = this.#bounded.choose(name, files, specifiers);
    return file === null ? { file, project: { ...project, files } } : { file };
  }
}
