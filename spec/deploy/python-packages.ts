import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface PythonPackage {
  /** What python3 needs for it. */
  readonly env: NodeJS.ProcessEnv;
  /** For node:test: false, or why it cannot be had. */
  readonly skip: string | false;
}

/** A package of the index in a folder of its own, installed once for this machine. `version` is exact, `module` imports it. */
export async function pythonPackage(name: string, version: string, module: string): Promise<PythonPackage> {
  const folder = join(tmpdir(), `oci-plone-${name}-${version}`);
  const env = { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
  if (existsSync(folder)) return { env, skip: false };
  const draft = await mkdtemp(`${folder}-`);
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', draft, `${name}==${version}`], {
      timeout: 120_000,
    });
    await run('python3', ['-c', `import ${module}`], { env: { ...env, PYTHONPATH: draft } });
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return { env, skip: false };
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return { env, skip: `${name} ${version} cannot be installed with python3 -m pip: ${reason ?? ''}` };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
