/**
 * What the programs in the image's working folder (`programs/`: start, create-site, adduser, debug, run, health) are told
 * about their image. It is their file `oci-plone.json`, read by `programs/oci_plone/image.py`.
 */
export interface ProgramFacts {
  /** The volume: everything that is ever written lies below it. Absolute; /data in an image. */
  readonly data: string;
  /** Absolute, or relative to the folder of the programs. */
  readonly zopeConf: string;
  /** Absolute, or relative to the folder of the programs. */
  readonly wsgiIni: string;
  /**
   * Name of the administrator that an empty database gets; no password is kept here. Where `parts/instance/inituser` is
   * baked into the image, its name and password count.
   */
  readonly user: string;
}

/** The file beside the programs that holds the facts. */
export const FACTS_FILE = 'oci-plone.json';

/** Its text: the same bytes for the same facts. */
export function programFacts({ data, zopeConf, wsgiIni, user }: ProgramFacts): string {
  return `${JSON.stringify({ data, user, wsgiIni, zopeConf }, undefined, 2)}\n`;
}
