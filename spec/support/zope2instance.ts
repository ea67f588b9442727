import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from './fixtures.ts';

const run = promisify(execFile);

/** What a version of the recipe needs to run. Zope itself is not needed for it. */
const RECIPES = {
  6: { version: '6.13.0', beside: ['zc.recipe.egg==2.0.7', 'zc.buildout==3.0.1', 'setuptools==75.8.0'] },
  7: { version: '7.1.2', beside: ['zc.recipe.egg==3.0.0', 'zc.buildout==4.1.12', 'setuptools==75.8.0'] },
  9: { version: '9.1.0', beside: ['zc.recipe.egg==6.0.0', 'zc.buildout==6.0.1', 'setuptools==80.9.0'] },
} as const;

export type RecipeVersion = keyof typeof RECIPES;

const folderOf = (version: RecipeVersion): string =>
  join(tmpdir(), `oci-plone-zope2instance-${RECIPES[version].version}-${process.getuid?.() ?? 0}`);

/** Installs a version of the recipe once for this machine. For node:test's `skip`: false, or why it cannot be had. */
export async function skipRecipe(version: RecipeVersion): Promise<string | false> {
  const recipe = `plone.recipe.zope2instance==${RECIPES[version].version}`;
  return installed(folderOf(version), recipe, async (draft) => {
    const words = [recipe, ...RECIPES[version].beside, 'pip', 'wheel', 'packaging'];
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', draft, ...words], {
      timeout: 180_000,
    });
  });
}

/** One run of the recipe: `parts/instance`, `bin/instance` and `var` appear in the folder. */
export interface RecipeJob {
  readonly folder: string;
  /** Of the section. */
  readonly options: Readonly<Record<string, string>>;
}

/** Runs the recipe, several times in one process, since zc.buildout is slow to begin. */
export function runRecipe(version: RecipeVersion, jobs: readonly RecipeJob[]): void {
  runScript('python3', jobs, { ...process.env, PYTHONPATH: folderOf(version) });
}

/** The same with the recipe of a virtual environment. */
export function runRecipeOf(venv: string, jobs: readonly RecipeJob[]): void {
  runScript(join(venv, 'bin/python'), jobs, process.env);
}

function runScript(python: string, jobs: readonly RecipeJob[], env: NodeJS.ProcessEnv): void {
  const script = join(repositoryRoot, 'spec', 'support', 'zope2instance.py');
  const input = JSON.stringify(
    jobs.map(({ folder, options }) => ({ folder, options: { user: 'admin:secret', ...options } })),
  );
  execFileSync(python, ['-W', 'ignore', script], { env, input, stdio: ['pipe', 'ignore', 'pipe'] });
}

/** Makes a folder once for this machine. For node:test's `skip`: false, or why it cannot be had. */
export async function installed(
  folder: string,
  what: string,
  install: (draft: string) => Promise<void>,
): Promise<string | false> {
  if (existsSync(folder)) return false;
  const draft = await mkdtemp(`${folder}-`);
  try {
    await install(draft);
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return false;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return `${what} cannot be installed with python3 -m pip: ${reason ?? ''}`;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
