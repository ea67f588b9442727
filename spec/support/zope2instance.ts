import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from './fixtures.ts';

const run = promisify(execFile);

/** What the recipe needs to run. Zope itself is not needed for it. */
const BESIDE = { 6: 'zc.recipe.egg==2.0.7', 7: 'zc.recipe.egg==3.0.0', 9: 'zc.recipe.egg==6.0.0' } as const;
const BUILDOUT = { 6: 'zc.buildout==3.0.1', 7: 'zc.buildout==4.1.12', 9: 'zc.buildout==6.0.1' } as const;
const RECIPE = { 6: '6.13.0', 7: '7.1.2', 9: '9.1.0' } as const;

export type RecipeVersion = keyof typeof RECIPE;

const folderOf = (version: RecipeVersion): string =>
  join(tmpdir(), `oci-plone-zope2instance-${RECIPE[version]}-${process.getuid?.() ?? 0}`);

/** Installs a version of the recipe once for this machine. For node:test's `skip`: false, or why it cannot be had. */
export async function skipRecipe(version: RecipeVersion): Promise<string | false> {
  const recipe = `plone.recipe.zope2instance==${RECIPE[version]}`;
  return installed(folderOf(version), recipe, async (draft) => {
    const words = [recipe, BESIDE[version], BUILDOUT[version], 'setuptools==75.8.0', 'pip', 'wheel', 'packaging'];
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', draft, ...words], {
      timeout: 180_000,
    });
  });
}

/** Runs the recipe: `parts/instance`, `bin/instance` and `var` appear in the folder. */
export async function runRecipe(
  version: RecipeVersion,
  folder: string,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await runScript('python3', folder, options, { ...process.env, PYTHONPATH: folderOf(version) });
}

/** The same with the recipe of a virtual environment. */
export async function runRecipeOf(
  venv: string,
  folder: string,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await runScript(join(venv, 'bin/python'), folder, options, process.env);
}

async function runScript(
  python: string,
  folder: string,
  options: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const script = join(repositoryRoot, 'spec', 'support', 'zope2instance.py');
  await run(python, ['-W', 'ignore', script, folder, JSON.stringify({ user: 'admin:secret', ...options })], { env });
}

/** A virtual environment with a Zope that starts, made once for this machine. */
export const zopeVenv: string = join(tmpdir(), `oci-plone-zope-6.3-${process.getuid?.() ?? 0}`);

/** For node:test's `skip`. */
export async function skipZope(): Promise<string | false> {
  return installed(zopeVenv, 'Zope 6.3', async (draft) => {
    await run('python3', ['-m', 'venv', draft]);
    const words = [`plone.recipe.zope2instance==${RECIPE[9]}`, 'Zope==6.3', 'setuptools==75.8.0', 'wheel'];
    await run(join(draft, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...words], { timeout: 600_000 });
    // Its scripts name the draft, and are not used.
  });
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
