import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A test's context, or node:test's own `after` for a suite. */
export interface Ending {
  readonly after: (end: () => void) => unknown;
}

/** A folder of a test's own that is gone once the test is done. */
export function scratch(t: Ending): string {
  const folder = mkdtempSync(join(tmpdir(), 'oci-plone-spec-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
