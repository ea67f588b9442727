// bundle.mjs: dist/bundle, what the package runs from. A program of a hundred small files starts a fifth of its time later than one
// of a few: each is looked for, opened and linked. A command still loads only what it needs, and packages stay packages.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dir = join(root, 'dist/bundle');

const options = {
  cwd: root,
  platform: 'node',
  // What a thread loads when it is needed, the program may have loaded long before.
  checks: { ineffectiveDynamicImport: false },
  external: (id) => !/^(?:[./]|src\/)/.test(id),
  plugins: [{ name: 'take built-in modules directly', renderChunk: takeBuiltinsDirectly }],
};
const output = { dir, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' };

rmSync(dir, { recursive: true, force: true });
await build({
  ...options,
  input: { index: 'src/index.ts', main: 'src/cli/main.ts' },
  output: {
    ...output,
    codeSplitting: {
      groups: [
        // What every program and nearly every command loads, in one file each.
        whatLoads('program', 'src/cli/run.ts'),
        whatLoads('library', 'src/index.ts'),
        { name: 'cli', test: /\/src\/cli\//, minShareCount: 2 },
      ],
    },
  },
});
// Threads are programs of their own, and load what they need only.
await build({
  ...options,
  input: { 'codec-worker': 'src/layer/codec-worker.ts' },
  output: { ...output, chunkFileNames: 'thread-[name]-[hash].js' },
});
await build({
  ...options,
  input: { start: 'src/cli/start.cts' },
  external: './main.js',
  output: { ...output, format: 'cjs', entryFileNames: '[name].cjs' },
});

/** A file of all modules that are loaded with an entry, those left out that it asks for later. */
function whatLoads(name, entry) {
  const loaded = new Set();
  const add = (id, graph) => {
    const info = graph.getModuleInfo(id);
    if (info === null || loaded.has(id) || options.external(id)) return;
    loaded.add(id);
    for (const imported of info.importedIds) add(imported, graph);
  };
  return {
    debugName: name,
    name(id, graph) {
      if (loaded.size === 0) add(join(root, entry), graph);
      return loaded.has(id) ? name : null;
    },
  };
}

/**
 * `import { createHash } from 'node:crypto'` asks for every name that a built-in module exports, and with it for all that the module
 * would load only when it is used: WebCrypto alone is a twentieth of the time that it takes to start.
 */
function takeBuiltinsDirectly(code, { fileName }) {
  const taken = code.replaceAll(
    /^import (?:\{([^}]*)\}|(?:\* as )?([\w$]+)) from "(node:[^"]+)";$/gm,
    (_, names, whole, module) =>
      `const ${whole ?? `{${names.replaceAll(' as ', ': ')}}`} = process.getBuiltinModule("${module}");`,
  );
  if (/^import .*"node:/m.test(taken))
    throw new Error(`${fileName} imports a built-in module in a way that is not known here`);
  return taken;
}
