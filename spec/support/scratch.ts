import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of a test's own that is gone once the test is done. */
export function scratch(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'oci-plone-spec-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
