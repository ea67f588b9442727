#!/usr/bin/env node
/**
 * Where the program begins. `--version` is what scripts ask first, and costs what an empty program costs: CommonJS, since the loader
 * of ES modules alone is a sixth on top of that.
 */
if (process.argv[2] === '--version' || process.argv[2] === '-V') {
  const manifest = process.getBuiltinModule('node:fs').readFileSync(require.resolve('oci-plone/package.json'), 'utf8');
  const { version }: { readonly version: string } = JSON.parse(manifest);
  process.stdout.write(`${version}\n`);
} else void import('./main.js');
