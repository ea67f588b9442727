import type { Digest } from '../oci/digest.ts';
import { bulkHash } from './hash.ts';
import type { BareStep } from './walk.ts';

export interface NarInfo {
  /** The sha256 of the NAR, as Nix's database has it. */
  readonly narHash: Digest;
  /** Bytes of the NAR. */
  readonly narSize: number;
}

/**
 * The hash of a store path's NAR (Nix's thesis, section 5.2.1), fed by the steps of the very walk that writes the layer:
 * a NAR is in the same order, so that an archive's paths get their narHash without a second reading.
 */
export interface NarHash {
  /** For a file, every piece of its content follows through `content`. */
  step(step: BareStep): void;
  content(piece: Uint8Array): void;
  /** Once after a file's content. */
  endFile(): void;
  finish(): NarInfo;
}

export function narHash(): NarHash {
  const hash = bulkHash();
  const gathered = Buffer.allocUnsafeSlow(GATHERED_BYTES);
  let filled = 0;
  let size = 0;
  let depth = 0;
  let fileBytes = 0;

  const flush = (): void => {
    hash.update(gathered.subarray(0, filled));
    filled = 0;
  };
  const raw = (bytes: Uint8Array): void => {
    size += bytes.length;
    if (bytes.length > gathered.length - filled) flush();
    if (bytes.length > gathered.length) {
      hash.update(bytes);
      return;
    }
    gathered.set(bytes, filled);
    filled += bytes.length;
  };
  const text = (value: string): void => {
    const bytes = Buffer.byteLength(value);
    number(bytes);
    if (bytes + BOUNDARY > gathered.length - filled) flush();
    if (bytes + BOUNDARY > gathered.length) raw(Buffer.from(value));
    else {
      gathered.write(value, filled);
      filled += bytes;
      size += bytes;
    }
    pad(bytes);
  };
  const number = (value: number): void => {
    if (gathered.length - filled < 8) flush();
    gathered.writeUInt32LE(value % 2 ** 32, filled);
    gathered.writeUInt32LE(Math.floor(value / 2 ** 32), filled + 4);
    filled += 8;
    size += 8;
  };
  const pad = (bytes: number): void => raw(ZEROS.subarray(0, (BOUNDARY - (bytes % BOUNDARY)) % BOUNDARY));
  const open = (name: string): void => {
    if (depth === 0) return;
    raw(ENTRY);
    text(name);
    raw(NODE);
  };
  const close = (): void => {
    if (depth > 0) raw(CLOSE);
  };

  raw(MAGIC);
  return {
    step(step) {
      switch (step.kind) {
        case 'enter':
          open(step.name);
          raw(DIRECTORY);
          depth += 1;
          return;
        case 'leave':
          depth -= 1;
          raw(CLOSE);
          close();
          return;
        case 'leaf':
          open(step.name);
          if (step.node.kind === 'symlink') {
            raw(SYMLINK);
            text(step.node.target);
            raw(CLOSE);
            close();
            return;
          }
          raw((step.node.mode & 0o100) === 0 ? REGULAR : EXECUTABLE);
          number(step.node.size);
          fileBytes = step.node.size;
      }
    },
    content: raw,
    endFile() {
      pad(fileBytes);
      raw(CLOSE);
      close();
    },
    finish() {
      flush();
      return { narHash: hash.digest(), narSize: size };
    },
  };
}

/** Small pieces are gathered: a call of node:crypto costs as much as the hash of a kilobyte. */
const GATHERED_BYTES = 16 * 1024;

/** Strings and contents are filled up to a multiple of it. */
const BOUNDARY = 8;
const ZEROS = new Uint8Array(BOUNDARY);

const MAGIC = strings('nix-archive-1');
const DIRECTORY = strings('(', 'type', 'directory');
const SYMLINK = strings('(', 'type', 'symlink', 'target');
const REGULAR = strings('(', 'type', 'regular', 'contents');
const EXECUTABLE = strings('(', 'type', 'regular', 'executable', '', 'contents');
const ENTRY = strings('entry', '(', 'name');
const NODE = strings('node');
const CLOSE = strings(')');

/** Each its length in eight bytes, its bytes, zeros up to the boundary. */
function strings(...texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.map((text) => {
      const bytes = Buffer.alloc(BOUNDARY + Math.ceil(text.length / BOUNDARY) * BOUNDARY);
      bytes.writeUInt32LE(text.length);
      bytes.write(text, BOUNDARY, 'latin1');
      return bytes;
    }),
  );
}
