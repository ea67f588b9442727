import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fixture } from './fixtures.ts';
import { installed } from './zope2instance.ts';

const run = promisify(execFile);

/** What two clients of one PostgreSQL need; RelStorage's own extra wants psycopg2, which has no wheel. */
const FOR_POSTGRESQL = ['RelStorage==4.3.0', 'perfmetrics==4.3.0', 'psycopg2-binary==2.9.13'];

const requirements: readonly string[] = [
  ...pins(readFileSync(fixture('plone', 'versions.cfg'), 'utf8')),
  ...FOR_POSTGRESQL,
];

function pins(text: string): readonly string[] {
  return [...text.matchAll(/^([A-Za-z0-9][\w.-]*) = (\S+)$/gm)].map(
    ([, name, version]) => `${name ?? ''}==${version ?? ''}`,
  );
}

/** One that any user may start, which a Python below root's home is not. */
export const PYTHON: string = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

const key = createHash('sha256')
  .update([PYTHON, ...requirements].join('\n'))
  .digest('hex')
  .slice(0, 12);

/** A virtual environment with Plone, ZEO, RelStorage and a driver for PostgreSQL. */
export const ploneVenv: string = join(tmpdir(), `oci-plone-plone-${key}-${process.getuid?.() ?? 0}`);

/** Makes it once for this machine, in a minute or two. For node:test's `skip`: false, or why it cannot be had. */
export async function skipPlone(): Promise<string | false> {
  return installed(ploneVenv, 'Plone', async (draft) => {
    await run(PYTHON, ['-m', 'venv', draft]);
    const list = join(draft, 'requirements.txt');
    await writeFile(list, requirements.join('\n'));
    await run(join(draft, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', list], {
      timeout: 900_000,
    });
    await chmod(draft, 0o755);
    // Its scripts name the draft, and are not used.
  });
}
