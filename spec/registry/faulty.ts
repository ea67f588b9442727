import type { TestContext } from 'node:test';
import {
  type Answer,
  type Exchange,
  type Fault,
  type FaultRegistry,
  startFaultRegistry,
} from '../support/fault-registry.ts';

/** A registry with a fault, until the test ends. */
export async function start(t: TestContext, fault?: Fault): Promise<FaultRegistry> {
  const registry = await startFaultRegistry(fault);
  t.after(() => registry.stop());
  return registry;
}

/** What came in by one method, in order. */
export function requests(registry: FaultRegistry, method: string): readonly Exchange[] {
  return registry.exchanges.filter((exchange) => exchange.method === method);
}

/** An answer to the n-th request that matches, counted from 1; null for all others. */
export function once(method: string, path: RegExp, answer: Answer | 'reset', turn = 1): Fault {
  let seen = 0;
  return (request) => {
    if (request.method !== method || !path.test(request.url.pathname)) return null;
    seen += 1;
    return seen === turn ? answer : null;
  };
}

/** The path of an upload that has begun. */
export const BLOB_PUT: RegExp = /\/blobs\/uploads\/./;
/** A 401 that asks who is there. */
export function challenge(value: string | string[]): Answer {
  return { status: 401, headers: { 'www-authenticate': value } };
}
