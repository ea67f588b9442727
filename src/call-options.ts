import type { OnProgress } from './progress.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What every call of the library takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** NIX_PATH, NIX_CONFIG, SOURCE_DATE_EPOCH, places of credentials, proxies, pip's settings. @default process.env */
  readonly env?: Environment | undefined;
}
