import { readFileSync } from 'node:fs';

/** This program's version, as its package.json has it. */
export function programVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL(import.meta.resolve('oci-plone/package.json')), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
