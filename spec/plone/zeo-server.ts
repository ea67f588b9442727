import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ploneVenv } from '../support/plone-venv.ts';

export interface ZeoServer {
  readonly stop: () => Promise<void>;
}

/** ZEO's own server, on loopback, with storage 1. Does not wait until it listens: its clients do. */
export async function startZeo(port: number): Promise<ZeoServer> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-zeo-'));
  const conf = join(folder, 'zeo.conf');
  const storage = `<filestorage 1>\npath ${folder}/Data.fs\nblob-dir ${folder}/blobs\n</filestorage>`;
  await writeFile(conf, `<zeo>\naddress 127.0.0.1:${port}\n</zeo>\n${storage}\n`);
  const server = spawn(join(ploneVenv, 'bin/python'), ['-m', 'ZEO.runzeo', '-C', conf], {
    stdio: 'ignore',
    cwd: folder,
  });
  const endWithUs = (): void => void server.kill('SIGKILL');
  process.once('exit', endWithUs);
  return {
    stop: async () => {
      process.off('exit', endWithUs);
      const closed = once(server, 'close');
      server.kill('SIGTERM');
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
