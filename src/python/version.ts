import { compare, explain } from '@renovatebot/pep440';

/** A version of PEP 440, taken apart once. */
export interface Version {
  /** As it was written. */
  readonly text: string;
  /** The normalized spelling, with its local part. */
  readonly normal: string;
  readonly epoch: number;
  readonly release: readonly number[];
  /** Whether it has an alpha, beta, rc or dev part. */
  readonly isPrerelease: boolean;
  readonly isPost: boolean;
  /** The part behind `+`, or null. */
  readonly local: string | null;
  /** The normalized spelling without the local part. */
  readonly public: string;
  /** Epoch and release alone. */
  readonly base: string;
}

const LONGEST = 200;

/** Reads a version; null for what PEP 440 does not know, such as the `3.4dev-r73107` of old indexes. */
export function parseVersion(text: string): Version | null {
  const trimmed = text.trim();
  if (trimmed.length > LONGEST) return null;
  const parts = explain(trimmed);
  if (parts === null) return null;
  const { local } = parts;
  return {
    text: trimmed,
    normal: local === null ? parts.public : `${parts.public}+${local}`,
    epoch: parts.epoch,
    release: parts.release,
    isPrerelease: parts.is_prerelease,
    isPost: parts.is_postrelease,
    local,
    public: parts.public,
    base: parts.base_version,
  };
}

/** Less than, equal to or more than 0, in the order of PEP 440: dev, alpha, beta, rc, final, post; local parts last. */
export function compareVersions(left: Version, right: Version): number {
  return left.normal === right.normal ? 0 : compare(left.normal, right.normal);
}

/** Whether two spellings name one version: `3.3` and `3.3.0`. */
export function sameVersion(left: string, right: string): boolean {
  const [a, b] = [parseVersion(left), parseVersion(right)];
  return a === null || b === null ? left === right : compareVersions(a, b) === 0;
}
