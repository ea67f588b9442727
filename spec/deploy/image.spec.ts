import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { pack } from '../../src/index.ts';
import { missing, repositoryRoot } from '../support/fixtures.ts';
import { documentsOf, writeApp } from '../support/packed.ts';
import { scratch } from '../support/scratch.ts';
import { type Container, compose, containers, kubernetes } from './manifests.ts';

const run = promisify(execFile);
const PROGRAMS = join(repositoryRoot, 'src', 'plone', 'programs');
/** Where an image has its volume. */
const DATA = '/data';

interface Answer {
  readonly unknown: readonly string[];
  readonly failure: string | null;
  readonly notes: readonly string[];
}

interface Answers {
  readonly passwordFile: string;
  readonly answers: readonly Answer[];
}

const isClient = ({ env }: Container): boolean => Object.keys(env).length > 0;

describe('the deployment, and the image that it starts', () => {
  it('starts the image, as clients and as a server, in both files', () => {
    assert.deepEqual(
      containers().map(({ name }) => name),
      [
        'compose.yaml plone1',
        'compose.yaml plone2',
        'compose.yaml zeo',
        'kubernetes.yaml plone',
        'kubernetes.yaml zeo',
      ],
    );
    assert.equal(containers().filter(isClient).length, 3);
  });

  describe('asks for what its programs know', { skip: missing('python3') }, () => {
    it('sets no name that they do not read, and no value that they refuse or ignore', async () => {
      const { answers } = await ask(containers().map(({ env }) => env));
      const fine: Answer = { unknown: [], failure: null, notes: [] };
      assert.deepEqual(
        answers,
        containers().map(() => fine),
      );
    });

    it('which they would say', async () => {
      const { answers } = await ask([{ ZEO_ADRESS: 'zeo:8100' }, { ZEO_ADDRESS: 'zeo' }, { SIET: 'Plone' }]);
      assert.deepEqual(
        answers.map(({ unknown, failure, notes }) => [unknown, failure, notes.length]),
        [
          [['ZEO_ADRESS'], null, 1],
          [[], 'SETTING_REFUSED', 0],
          [['SIET'], null, 0],
        ],
      );
    });

    it('gives the password in the file where they look for it', async () => {
      const { passwordFile } = await ask([]);
      for (const { name, mounts } of containers().filter(isClient))
        assert.ok(
          mounts.some((mount) => passwordFile === mount || passwordFile.startsWith(`${mount}/`)),
          name,
        );
    });
  });

  it('starts programs that the image has', () => {
    for (const { name, probes } of containers())
      for (const [python, program = '', ...args] of probes) {
        assert.equal(python, '/app/bin/python', name);
        if (program !== '-m') assert.ok(existsSync(join(PROGRAMS, program)), `${name}: ${program}`);
        else assert.deepEqual(args, ['ZEO.nagios', 'localhost:8100'], name);
      }
    // What the comments of both files tell to run.
    for (const line of ['compose.yaml', 'kubernetes.yaml'].flatMap(commandsOf))
      assert.ok(existsSync(join(PROGRAMS, line)), line);
  });

  it('uses its entrypoint, user, group and port', async (t) => {
    const folder = scratch(t);
    const input = await writeApp(join(folder, 'app.nix.tar'));
    const output = join(folder, 'app.oci');
    await pack({ input, output, env: {}, volumes: [DATA] });
    const { config } = documentsOf(output).config;
    const ports = Object.keys(config['ExposedPorts'] ?? {});

    assert.deepEqual(config['Entrypoint'], ['/app/bin/python']);
    for (const { name, user, group } of containers().filter((container) => container.user !== null))
      assert.deepEqual([String(user), group], [config['User'], user], name);
    const plone = containers().find(({ name }) => name === 'kubernetes.yaml plone');
    assert.deepEqual(
      plone?.ports.map((port) => `${port}/tcp`),
      ports,
    );
    const balancer = readFileSync(join(repositoryRoot, 'fixtures/deploy/haproxy.cfg'), 'utf8');
    assert.deepEqual(
      Array.from(balancer.matchAll(/^ {2}server (\S+) (\S+)$/gm), ([, name, address]) => [name, address]),
      Object.keys(compose().services)
        .filter((name) => name.startsWith('plone'))
        .map((name) => [name, `${name}:${ports[0]?.split('/')[0]}`]),
    );
  });

  it('writes to the volume and /tmp alone', () => {
    for (const { name, readOnly, mounts } of containers()) {
      assert.ok(readOnly, name);
      for (const folder of [DATA, '/tmp']) assert.ok(mounts.includes(folder), `${name} ${folder}`);
    }
  });

  it('asks /ok over HTTP', () => {
    const paths = containers().flatMap((container) => container.paths);
    assert.deepEqual(paths, ['/ok', '/ok', '/ok']);
  });

  it('finds the ZEO server where it listens, and one configuration is in both files', () => {
    const file = readFileSync(join(repositoryRoot, 'fixtures/deploy/zeo.conf'), 'utf8');
    const address = /^ {2}address 0\.0\.0\.0:(\d+)$/m.exec(file)?.[1];
    for (const { env } of containers().filter(isClient)) assert.equal(env['ZEO_ADDRESS'], `zeo:${address}`);
    const ofKind = (kind: string): ReturnType<typeof kubernetes> =>
      kubernetes().filter((resource) => resource.kind === kind && resource.metadata.name === 'zeo');
    assert.deepEqual(ofKind('ConfigMap')[0]?.data, { 'zeo.conf': file });
    assert.equal(String(ofKind('Service')[0]?.spec?.ports?.[0]?.port), address);
    const servers = containers().filter(({ name }) => name.endsWith(' zeo'));
    assert.deepEqual(servers[0]?.args, servers[1]?.args);
  });
});

/** Asks the programs of this repository. */
async function ask(environments: readonly Readonly<Record<string, string>>[]): Promise<Answers> {
  const script = join(repositoryRoot, 'spec', 'deploy', 'read-settings.py');
  const running = run('python3', [script, PROGRAMS]);
  running.child.stdin?.end(JSON.stringify(environments));
  const { stdout } = await running;
  // The shape is that of the script beside this file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(stdout) as Answers;
}

function commandsOf(file: string): string[] {
  const text = readFileSync(join(repositoryRoot, 'fixtures/deploy', file), 'utf8');
  const found = Array.from(text.matchAll(/^#.* \/app\/bin\/python (\S+)$/gm), ([, program = '']) => program);
  assert.notDeepEqual(found, [], file);
  return found;
}
