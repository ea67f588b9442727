import type { Digest } from '../oci/digest.ts';
import { bulkHash } from './hash.ts';
import type { Step } from './walk.ts';

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
  step(step: Step): void;
  content(piece: Uint8Array): void;
  /** Once after a file's content. */
  endFile(): void;
  finish(): NarInfo;
}

export function narHash(): NarHash {
  const hash = bulkHash();
  let size = 0;
  let depth = 0;
  let fileBytes = 0;

  const raw = (bytes: Uint8Array): void => {
    hash.update(bytes);
    size += bytes.length;
  };
  const strings = (...texts: readonly string[]): void => raw(Buffer.concat(texts.map(framed)));
  const open = (name: string): void => {
    if (depth > 0) strings('entry', '(', 'name', name, 'node');
  };
  const close = (): void => {
    if (depth > 0) strings(')');
  };

  strings('nix-archive-1');
  return {
    step(step) {
      switch (step.kind) {
        case 'enter':
          open(step.name);
          strings('(', 'type', 'directory');
          depth += 1;
          return;
        case 'leave':
          depth -= 1;
          strings(')');
          close();
          return;
        case 'leaf':
          open(step.name);
          if (step.node.kind === 'symlink') {
            strings('(', 'type', 'symlink', 'target', step.node.target, ')');
            close();
            return;
          }
          strings('(', 'type', 'regular', ...((step.node.mode & 0o100) === 0 ? [] : ['executable', '']), 'contents');
          raw(length64(step.node.size));
          fileBytes = step.node.size;
      }
    },
    content: raw,
    endFile() {
      raw(padding(fileBytes));
      strings(')');
      close();
    },
    finish: () => ({ narHash: hash.digest(), narSize: size }),
  };
}

/** A NAR string: its length in eight bytes, its bytes, zeros up to a multiple of eight. */
function framed(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([length64(bytes.length), bytes, padding(bytes.length)]);
}

function length64(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(length));
  return bytes;
}

function padding(length: number): Buffer {
  return Buffer.alloc((8 - (length % 8)) % 8);
}
