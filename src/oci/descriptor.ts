import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

export type Annotations = Readonly<Record<string, string>>;

/** A content descriptor (image specification, descriptor.md): what something is, how long, and its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Annotations;
  readonly platform?: Platform;
  readonly artifactType?: string;
}
