// bundle.mjs: dist/bundle, what the package runs from. A program of a hundred small files starts a sixth of its time later than one
// of a few: each is looked for, opened and linked. A command still loads only what it needs, and packages stay packages.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const options = { outdir: 'dist/bundle', entryNames: '[name]', platform: 'node', target: 'node20.19' };

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync(options.outdir, { recursive: true, force: true });
await build({
  ...options,
  entryPoints: ['src/index.ts', 'src/cli/main.ts', 'src/layer/codec-worker.ts'],
  bundle: true,
  splitting: true,
  format: 'esm',
  packages: 'external',
});
await build({ ...options, entryPoints: ['src/cli/start.cts'], outExtension: { '.js': '.cjs' } });
for (const name of readdirSync(options.outdir)) takeBuiltinsDirectly(join(options.outdir, name));

/**
 * `import { createHash } from 'node:crypto'` asks for every name that a built-in module exports, and with it for all that the module
 * would load only when it is used: WebCrypto alone is a twentieth of the time that it takes to start.
 */
function takeBuiltinsDirectly(file) {
  const code = readFileSync(file, 'utf8').replaceAll(
    /^import (?:\{([^}]*)\}|(?:\* as )?(\w+)) from "(node:[^"]+)";$/gm,
    (_, names, whole, module) =>
      `const ${whole ?? `{${names.replaceAll(' as ', ': ')}}`} = process.getBuiltinModule("${module}");`,
  );
  if (/^import .*"node:/m.test(code))
    throw new Error(`${file} imports a built-in module in a way that is not known here`);
  writeFileSync(file, code);
}
