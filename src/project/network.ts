import type { Environment } from '../call-options.ts';
import type { HttpClient } from '../http/client.ts';
import type { HttpGet } from '../http/get.ts';

/**
 * Gives HTTP for the time of `use`. The client is loaded and opened by the first request: what needs no network does not
 * pay for it.
 */
export async function withNetwork<T>(env: Environment, use: (get: HttpGet) => Promise<T>): Promise<T> {
  let opened: Promise<HttpClient> | undefined;
  const open = async (): Promise<HttpClient> => {
    const { openHttp } = await import('../http/client.ts');
    const { readPipSettings } = await import('../python/pip.ts');
    const { cert, clientCert, trustedHosts, timeout, proxy } = await readPipSettings(env);
    return openHttp({
      env,
      cert,
      clientCert,
      trustedHosts,
      timeout: timeout === null ? null : timeout * 1000,
      proxy,
    });
  };
  try {
    return await use(async (url, options) => (await (opened ??= open())).get(url, options));
  } finally {
    const client = await opened?.catch(() => undefined);
    await client?.close();
  }
}
