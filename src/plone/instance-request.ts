/** What `build/make-instance.py` is asked for. */
export interface InstanceRequest {
  readonly section: string;
  /** Resolved; BUILDOUT stands for the buildout's folder. */
  readonly options: Readonly<Record<string, string>>;
}

/** Stands for the buildout's folder in what the recipe reads and writes: no path of a user's machine reaches a store. */
export const BUILDOUT = '/buildout';

/** A section with `recipe = plone.recipe.zope2instance`, resolved. */
export interface InstanceSection {
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  /** The buildout's folder, absolute. */
  readonly directory: string;
}

/**
 * The request for a section, and who is to administrate what it makes. The password stays behind, as a store is readable
 * for everybody; `bakeUser` gives it to the recipe all the same.
 */
export function instanceRequest(
  { name, options, directory }: InstanceSection,
  { bakeUser }: { readonly bakeUser: boolean },
): { readonly request: InstanceRequest; readonly user: string | null } {
  const kept = [...options].filter(([key]) => key !== 'user' || bakeUser);
  const user = options.get('user')?.split(':', 1)[0]?.trim() ?? '';
  return {
    request: {
      section: name,
      options: Object.fromEntries(kept.map(([key, value]) => [key, relocated(value, directory)])),
    },
    user: user === '' ? null : user,
  };
}

/** On the boundaries of paths: `/home/u/plone` is in neither `/home/u/plone2` nor `/mnt/home/u/plone`. */
function relocated(text: string, directory: string): string {
  const literal = directory.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return text.replace(new RegExp(String.raw`(?<![\w./-])${literal}(?![\w.-])`, 'g'), BUILDOUT);
}
