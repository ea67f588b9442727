import { OciPloneError } from '../errors.ts';
import { isLoopback } from '../http/host.ts';

/** Docker Hub's names are one registry, and its API answers at a third name. */
const API_HOSTS: ReadonlyMap<string, string> = new Map([['docker.io', 'registry-1.docker.io']]);

/** A host and perhaps a port, as `--insecure-registry` takes it; what parts of it mean is left to the URL parser. */
const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/i;

/**
 * Where a registry's API answers: its scheme, host and port. Loopback names speak http, since nothing of it leaves the
 * machine; every other host speaks https unless the user named exactly this host and port as insecure. There is no
 * falling back from one to the other.
 *
 * @param registry - the host and port of a reference, as the user wrote them
 * @param insecure - what the user gave by `--insecure-registry`
 * @throws USAGE where the host, or an entry of the list, cannot be one
 */
export function registryOrigin(registry: string, insecure: readonly string[]): URL {
  const host = API_HOSTS.get(registry) ?? registry;
  const secure = urlOf('https', host);
  return isLoopback(secure.hostname) || isInsecure(host, insecure) ? urlOf('http', host) : secure;
}

/** Whether the user named exactly this host and port as one to speak http to. */
export function isInsecure(host: string, insecure: readonly string[]): boolean {
  for (const entry of insecure)
    if (!HOST.test(entry))
      throw new OciPloneError('USAGE', `"insecure" expected HOST[:PORT], got ${JSON.stringify(entry)}`, {
        hint: 'Write it as in the reference, for example registry.example.org:5000, without http://.',
      });
  return insecure.some((entry) => entry.toLowerCase() === host.toLowerCase());
}

function urlOf(scheme: 'http' | 'https', host: string): URL {
  try {
    return new URL(`${scheme}://${host}`);
  } catch {
    throw new OciPloneError('USAGE', `${JSON.stringify(host)} is not the host of a registry`);
  }
}
