/**
 * Turns what is in one memory into what it writes to another. Both are the caller's, who uses them again: what a codec leaves
 * as garbage, it leaves in the thread that it runs in.
 */
export interface Codec {
  /** Names all that shapes the bytes. */
  readonly id: string;
  /** Returns how many bytes it wrote; NOT_THIS where the input is nothing that it knows. */
  run(input: Uint8Array, output: Uint8Array): number;
}

export const NOT_THIS = -1;

/** Each is loaded by whoever needs it, since two are packages of some size. */
const CODECS = {
  libdeflate: async (): Promise<Codec> => (await import('./deflate-libdeflate.ts')).libdeflate,
  fflate: async (): Promise<Codec> => (await import('./deflate-fflate.ts')).fflate,
  zlib: async (): Promise<Codec> => (await import('./deflate-zlib.ts')).zlib,
  zstd: async (): Promise<Codec> => (await import('./zstd.ts')).zstd,
  gunzip: async (): Promise<Codec> => (await import('./gunzip.ts')).gunzip,
} as const;

export type CodecName = keyof typeof CODECS;

export function loadCodec(name: CodecName): Promise<Codec> {
  return CODECS[name]();
}
