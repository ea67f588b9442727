import { dirname, resolve } from 'node:path';
import type { Buildout } from '../buildout/read.ts';
import { OciPloneError } from '../errors.ts';
import { IMAGE_RECIPE, partsOf } from './find-part.ts';
import { didYouMean } from '../nearest-name.ts';
import { placeOf } from './place.ts';
import { lines, words } from './words.ts';

/** What a part of the recipe `oci-plone` says about an image; what it does not say is left out. */
export interface ImagePart {
  readonly section: string;
  /** A Nix expression to pack in place of the buildout's eggs, as a full path. */
  readonly expression?: string;
  /** The part whose eggs are packed. */
  readonly part?: string;
  /** The section of plone.recipe.zope2instance that goes into the image. */
  readonly instance?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** `NAME=value`. */
  readonly environment?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  readonly stopSignal?: string;
  readonly platform?: string;
  readonly tag?: string;
  /** References in registries, to be pushed to. */
  readonly push?: readonly string[];
}

/** Reads one option's value. */
type Read = (value: string, at: Place) => Partial<ImagePart>;

interface Place {
  readonly buildout: Buildout;
  readonly section: string;
  readonly option: string;
}

/** Every option of the part, and what it becomes. */
const OPTIONS: Readonly<Record<string, Read>> = {
  recipe: () => ({}),
  expression: (value, { buildout, section, option }) => ({
    expression: resolve(folderOf(buildout, section, option), value),
  }),
  part: (part) => ({ part }),
  instance: (instance) => ({ instance }),
  entrypoint: (value, at) => ({ entrypoint: commandLine(value, at) }),
  cmd: (value, at) => ({ cmd: commandLine(value, at) }),
  env: (value, at) => ({ environment: pairs(value, at).map(([name, text]) => `${name}=${text}`) }),
  labels: (value, at) => ({ labels: Object.fromEntries(pairs(value, at)) }),
  annotations: (value, at) => ({ annotations: Object.fromEntries(pairs(value, at)) }),
  volumes: (value) => ({ volumes: words(value) }),
  ports: (value) => ({ ports: words(value) }),
  workdir: (workdir) => ({ workdir }),
  user: (user) => ({ user }),
  'stop-signal': (stopSignal) => ({ stopSignal }),
  platform: (platform) => ({ platform }),
  tag: (tag) => ({ tag }),
  reference: (value) => ({ push: words(value) }),
};

const KNOWN = Object.keys(OPTIONS);

/**
 * The image's settings where a buildout user looks for them: in a part `[image]` with `recipe = oci-plone`. Null where the
 * buildout has none.
 *
 * @param wanted - its section, where there are several
 * @param check - gets what each option becomes; what it throws is said to be wrong with the option
 * @throws USAGE for several, and where the wanted one is none; INPUT_MALFORMED for an option that there is not, and for a value that cannot be read
 */
export function readImagePart(
  buildout: Buildout,
  wanted?: string,
  check: (setting: Partial<ImagePart>) => void = () => undefined,
): ImagePart | null {
  const sections = partsOf(buildout, IMAGE_RECIPE);
  if (wanted !== undefined && !sections.includes(wanted))
    throw new OciPloneError('USAGE', `[${wanted}] is no part of ${IMAGE_RECIPE}${didYouMean(wanted, sections)}`, {
      hint: `Write "recipe = ${IMAGE_RECIPE}" into it.`,
    });
  const [section, ...others] = wanted === undefined ? sections : [wanted];
  if (section === undefined) return null;
  if (others.length > 0)
    throw new OciPloneError('USAGE', `${buildout.file} has several parts of ${IMAGE_RECIPE}: ${sections.join(', ')}`, {
      hint: `Choose one, for example --image ${section}.`,
    });
  const settings = [...buildout.section(section)].map(([option, value]): Partial<ImagePart> => {
    const at = { buildout, section, option };
    const read = Object.hasOwn(OPTIONS, option) ? OPTIONS[option] : undefined;
    if (read === undefined)
      throw malformed(at, `there is no such option${didYouMean(option, KNOWN)}`, `There are ${KNOWN.join(', ')}.`);
    if (value.trim() === '') return {};
    const setting = read(value.trim(), at);
    try {
      check(setting);
    } catch (error) {
      if (error instanceof OciPloneError) throw malformed(at, error.message, error.hint);
      throw error;
    }
    return setting;
  });
  return Object.assign({ section }, ...settings);
}

/** A JSON list, or a line for each word; one line alone is taken apart at white space. */
function commandLine(value: string, at: Place): readonly string[] {
  if (value.startsWith('[')) {
    try {
      const list: unknown = JSON.parse(value);
      if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list;
    } catch {
      // Falls through to the error that names the rule.
    }
    throw malformed(at, `expected words, or a JSON list of them, got ${value}`);
  }
  const list = lines(value);
  return list.length > 1 ? list : words(value);
}

/** `NAME=value` lines, and names of sections whose options they are. */
function pairs(value: string, at: Place): readonly (readonly [string, string])[] {
  return lines(value).flatMap((line): readonly (readonly [string, string])[] => {
    const equals = line.indexOf('=');
    if (equals > 0) return [[line.slice(0, equals).trim(), line.slice(equals + 1).trim()]];
    if (at.buildout.has(line)) return [...at.buildout.section(line)];
    throw malformed(at, `expected NAME=value or the name of a section, got ${JSON.stringify(line)}`);
  });
}

/** The folder of the file that says it; on the command line, the buildout's. */
function folderOf(buildout: Buildout, section: string, option: string): string {
  const origin = buildout.origin(section, option).at(-1);
  return origin === undefined || origin.line === null ? buildout.directory : dirname(origin.file);
}

function malformed({ buildout, section, option }: Place, why: string, hint = ''): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${placeOf(buildout, section, option)}: ${why}`, { hint });
}
