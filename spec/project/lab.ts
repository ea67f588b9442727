import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { readBuildout } from '../../src/buildout/read.ts';
import type { Buildout } from '../../src/buildout/read.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { writeExpressions } from '../../src/project/write-expressions.ts';
import type { ExpressionResult } from '../../src/project/write-expressions.ts';
import type { ExpressionOptions } from '../../src/project/options.ts';
import { DEFAULT_TARGET } from '../../src/python/target.ts';
import { buildoutTarget } from '../../src/project/target.ts';
import { type WheelSpec, wheelhouse } from '../support/wheels.ts';

/** A folder with a buildout, and a wheelhouse `wheels` beside it. */
export interface Lab {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly notes: string[];
  readonly path: (name: string) => string;
  readonly write: (name: string, text: string) => string;
  readonly read: (name: string) => string;
  readonly wheels: (...specs: readonly WheelSpec[]) => void;
  /** Reads buildout.cfg. */
  readonly buildout: (text: string) => Promise<Buildout>;
  /** `oci-plone nix` on buildout.cfg, for Python 3.11.2, from the wheelhouse alone. */
  readonly nix: (options?: Partial<ExpressionOptions>) => Promise<ExpressionResult>;
}

export function lab(t: Pick<TestContext, 'after'>, text = ''): Lab {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'oci-plone-project-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  const write = (name: string, content: string): string => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), content);
    return path(name);
  };
  const notes: string[] = [];
  const env = {
    HOME: path('home'),
    PATH: process.env['PATH'],
    XDG_CACHE_HOME: path('cache'),
    PIP_CONFIG_FILE: '/dev/null',
  };
  wheelhouse(path('wheels'), []);
  if (text !== '') write('buildout.cfg', text);
  return {
    folder,
    env,
    notes,
    path,
    write,
    read: (name) => readFileSync(path(name), 'utf8'),
    wheels: (...specs) => void wheelhouse(path('wheels'), specs),
    buildout: async (content) =>
      readBuildout({
        file: write('buildout.cfg', content),
        get: async (url) => Promise.reject(new Error(`unexpected request for ${url}`)),
        env,
        marker: () => null,
        target: buildoutTarget(DEFAULT_TARGET),
      }),
    nix: async (options = {}) =>
      writeExpressions({
        file: path('buildout.cfg'),
        env,
        python: '3.11.2',
        indexes: [path('wheels')],
        onProgress: (event: ProgressEvent) => void (event.kind === 'note' && notes.push(event.text)),
        ...options,
      }),
  };
}
