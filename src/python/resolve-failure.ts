import { OciPloneError } from '../errors.ts';
import type { Bounded } from './bounds.ts';
import type { Bound } from './bounds.ts';
import type { Rules } from './choose.ts';
import { chooseFile, fitsPython, fitsTarget } from './choose.ts';
import type { IndexFile } from './index-file.ts';
import { nearestNames, nearestVersions } from './nearest.ts';
import type { Project } from './package-index.ts';
import { formatRequirement } from './requirement.ts';
import type { Requirer, Requirers } from './requirers.ts';
import { isExact, satisfies } from './specifier.ts';
import type { Specifier } from './specifier.ts';

/** A pin or a constraint stands against a requirement. */
export function boundInTheWay(bound: Bound, requirer: Requirer, requirers: Requirers): OciPloneError {
  const kind = bound.origin === 'pin' ? 'the pin' : 'the constraint';
  const change =
    bound.origin === 'pin' ? `Change the pin of ${requirer.requirement.name} in [versions]` : 'Change the constraint';
  return new OciPloneError('INPUT_REFUSED', `${kind} ${bound.text} is in the way: ${requirers.explain(requirer)}`, {
    hint: `${change}, or take another version of what requires it.`,
  });
}

/** What was taken for the first requirement does not fit a later one. */
export function conflict(
  taken: { readonly name: string; readonly version: string; readonly bound: Bound | null },
  requirer: Requirer,
  requirers: Requirers,
  project: Project,
  rules: Rules,
): OciPloneError {
  const { name, version, bound } = taken;
  const others = requirers.of(name).filter((other) => other !== requirer);
  const why = others.map((other) => requirers.explain(other)).slice(0, 5);
  const pinned = bound === null ? '' : ` by the ${bound.origin} ${bound.text}`;
  const all = requirers.of(name).flatMap(({ requirement }) => requirement.specifiers);
  const fits = chooseFile(project.files, all, rules)?.version.text;
  return new OciPloneError(
    'INPUT_REFUSED',
    `versions conflict: ${name} ${version} was taken${pinned}, but ${requirers.explain(requirer)}` +
      (why.length === 0 ? '' : `; ${why.join('; ')}`),
    {
      hint:
        fits === undefined
          ? `No version of ${name} fits them all: pin another version of one of those that require it.`
          : `Pin ${name} = ${fits} in [versions]: that fits them all.`,
    },
  );
}

/** Nothing on the index, or in the folders, fits. */
export function nothingFits(
  requirer: Requirer,
  specifiers: readonly Specifier[],
  project: Project,
  context: { readonly labels: readonly string[]; readonly bounded: Bounded; readonly requirers: Requirers },
): OciPloneError {
  const { labels, bounded, requirers } = context;
  const { rules } = bounded;
  const { requirement } = requirer;
  const asked = requirers.explain(requirer);
  const bound = bounded.of(project.name).map(({ text }) => text);
  const whole = formatRequirement(requirement);
  const rule = bound.length > 0 && whole === requirement.givenName ? bound : [whole, ...bound];
  if (project.files.length === 0) {
    const known = [...bounded.bounds.keys(), ...project.others].filter((name) => name !== project.name);
    const near = nearestNames(project.name, known);
    const where = labels.length === 0 ? 'and no index is set' : `in ${labels.join(', ')}`;
    return new OciPloneError(
      project.found || labels.length === 0 ? 'INPUT_ABSENT' : notFoundCode(labels),
      `there is no distribution of ${requirement.givenName} ${where}: ${asked}`,
      {
        hint:
          near.length === 0 ? 'Check the spelling, and the index that is asked.' : `Did you mean ${near.join(' or ')}?`,
      },
    );
  }
  const matching = project.files.filter((file) => satisfies(file.version, specifiers));
  const reason = matching.length === 0 ? nearest(project.files, specifiers, rules) : unfit(matching, rules);
  return new OciPloneError(
    'INPUT_ABSENT',
    `no file of ${requirement.givenName} fits ${rule.join(' with ')}: ${asked}`,
    { hint: reason },
  );
}

/** A folder that lacks a file is input; an index that answers 404 is an answer that is not a success. */
function notFoundCode(labels: readonly string[]): 'INPUT_ABSENT' | 'REGISTRY' {
  return labels.some((label) => /^https?:/.test(label)) ? 'REGISTRY' : 'INPUT_ABSENT';
}

function nearest(files: readonly IndexFile[], specifiers: readonly Specifier[], rules: Rules): string {
  const usable = files.filter(
    (file) => file.yanked === null && fitsTarget(file, rules) && fitsPython(file.requiresPython, rules.python),
  );
  const wanted = specifiers.find((one) => isExact([one]))?.text ?? specifiers[0]?.text ?? null;
  const versions = nearestVersions(
    (usable.length === 0 ? files : usable).map(({ version }) => version),
    wanted,
  );
  return `The nearest versions are ${versions.join(', ')}.`;
}

function unfit(files: readonly IndexFile[], rules: Rules): string {
  const versions = [...new Set(files.map(({ version }) => version.text))].slice(-3).join(', ');
  const python = rules.python.text;
  const excluded = files.filter(({ requiresPython }) => !fitsPython(requiresPython, rules.python));
  if (excluded.length === files.length)
    return `${versions} wants Python ${excluded.at(-1)?.requiresPython ?? ''}, and the target is Python ${python}: take another one by --python, or another version.`;
  const yanked = files.find((file) => file.yanked !== null);
  if (yanked !== undefined)
    return `${yanked.version.text} was yanked${yanked.yanked === '' ? '' : ` (${yanked.yanked ?? ''})`}: take another version, or pin this one exactly.`;
  return `${versions} has no wheel for the target and no sdist: build a wheel, put it into a folder, and name the folder in find-links.`;
}

/** An extra that a distribution does not have. */
export function unknownExtra(
  distribution: { readonly name: string; readonly version: string; readonly extras: readonly string[] },
  extra: string,
  requirer: Requirer,
  requirers: Requirers,
): OciPloneError {
  const { name, version, extras } = distribution;
  const near = nearestNames(extra, extras);
  const has = extras.length === 0 ? 'It has no extras' : `It has ${(near.length === 0 ? extras : near).join(', ')}`;
  return new OciPloneError(
    'INPUT_ABSENT',
    `${name} ${version} has no extra "${extra}": ${requirers.explain(requirer)}`,
    {
      hint: `${has}; allow-unknown-extras = true passes over it.`,
    },
  );
}

/** allow-picked-versions = false. */
export function notAllowed(file: IndexFile, requirer: Requirer, requirers: Requirers): OciPloneError {
  return new OciPloneError(
    'INPUT_REFUSED',
    `${file.name} ${file.version.text} was picked, and allow-picked-versions = false forbids that: ${requirers.explain(requirer)}`,
    { hint: `Pin ${requirer.requirement.givenName} = ${file.version.text} in [versions].` },
  );
}
