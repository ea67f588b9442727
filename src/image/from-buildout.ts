import type { ImagePart } from '../project/image-part.ts';
import type { Packable } from '../project/packable.ts';
import type { BakedInstance, InstanceDefaults } from './baked-instance.ts';
import { type BuildoutPackChoices, type PackJob, type PackOptions, packJob, usage } from './options.ts';

type Choice = keyof BuildoutPackChoices;

/** Options that mean nothing where the input is no buildout; `offline` means something to Nix, too. */
const BUILDOUT_ONLY: readonly Exclude<Choice, 'offline'>[] = [
  'part',
  'image',
  'instance',
  'bakeUser',
  'python',
  'overrides',
  'nixpkgs',
  'indexes',
  'findLinks',
  'constraints',
  'frozen',
  'upgrade',
  'allowMissing',
];

/** Whether an input is read as a buildout: by its name, as expressions are. */
function isBuildout(input: PackOptions['input']): input is string {
  return typeof input === 'string' && input.endsWith('.cfg');
}

/**
 * A job whose input is a buildout, as a job whose input is the expression of its environment, for the time of `use`; other jobs as
 * they are.
 *
 * @param read - makes a job of options; asked also before the buildout is resolved: what is wrong is not to be heard after minutes
 * @throws USAGE for an option of buildouts with another input; what `withPackable` throws
 */
export async function withBuildoutInput<T>(
  options: PackOptions,
  read: (options: PackOptions, instance: BakedInstance | null) => PackJob,
  use: (job: PackJob) => Promise<T>,
): Promise<T> {
  if (!isBuildout(options.input)) {
    const useless = BUILDOUT_ONLY.find((name) => isGiven(options[name]));
    if (useless !== undefined) throw usage(useless, 'a buildout (*.cfg) as the input', options[useless]);
    return use(read(options, null));
  }
  read(options, null);
  const env = options.env ?? process.env;
  // Loaded here, since it is more than all that other inputs need.
  const [{ withPackable }, { INSTANCE_DEFAULTS, writeBakedInstance }] = await Promise.all([
    import('../project/packable.ts'),
    import('./baked-instance.ts'),
  ]);
  const checkImage = (image: Partial<ImagePart>): void => {
    packJob({ input: '', output: '', env: {}, push: image.push, ...settingsOf({ input: '' }, image, {}) });
  };
  return withPackable({ ...options, file: options.input, env, checkImage }, async (packable) => {
    if (packable.instance === null) return use(read(expressionOptions(options, packable, {}), null));
    const { bakeUser = false, onProgress } = options;
    if (bakeUser)
      onProgress?.({ kind: 'note', text: 'the password of the buildout is in the image, for all who can pull it' });
    const { expression, instance } = writeBakedInstance(packable.expression, packable.instance, { bakeUser });
    return use(read(expressionOptions(options, { ...packable, expression }, INSTANCE_DEFAULTS), instance));
  });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

function expressionOptions(options: PackOptions, packable: Packable, defaults: Partial<InstanceDefaults>): PackOptions {
  const cleared = Object.fromEntries(BUILDOUT_ONLY.map((name) => [name, undefined]));
  const { expression, show, name, image } = packable;
  const destination = destinationOf(options, name, image);
  return {
    ...options,
    ...cleared,
    ...settingsOf(options, image ?? {}, defaults),
    ...destination,
    input: expression,
    show: [...(options.show ?? []), ...show],
  };
}

/** `reference` says where an image goes as long as nobody says otherwise. */
function destinationOf(
  { output, push = [] }: PackOptions,
  name: string,
  image: ImagePart | null,
): Pick<PackOptions, 'output' | 'push'> {
  const isSaid = output !== undefined || push.length > 0;
  const references = isSaid ? push : (image?.push ?? []);
  return { push: references, output: output ?? (references.length > 0 ? undefined : `${name}.oci`) };
}

/** What the caller says about the image, over what the buildout says, over what an instance needs. */
function settingsOf(
  options: PackOptions,
  image: Partial<ImagePart>,
  instance: Partial<InstanceDefaults>,
): Partial<PackOptions> {
  const list = (own: readonly string[] | undefined, other: readonly string[] | undefined) =>
    own === undefined || own.length === 0 ? other : own;
  return {
    entrypoint: options.entrypoint ?? image.entrypoint,
    cmd: options.cmd ?? image.cmd ?? instance.cmd,
    environment: [...(image.environment ?? []), ...(options.environment ?? [])],
    labels: { ...image.labels, ...options.labels },
    annotations: { ...image.annotations, ...options.annotations },
    volumes: list(options.volumes, image.volumes ?? instance.volumes),
    ports: list(options.ports, image.ports),
    workdir: options.workdir ?? image.workdir ?? instance.workdir,
    user: options.user ?? image.user,
    stopSignal: options.stopSignal ?? image.stopSignal ?? instance.stopSignal,
    platform: options.platform ?? image.platform,
    tag: options.tag ?? image.tag,
  };
}
