const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost)(?=:|$)/i;
const LOOPBACK6 = /^(?:\[::1\](?=:|$)|::1$)/;

/**
 * Addresses to listen on, separated by blanks, with every interface in place of the loopback, which nobody outside of a
 * container can reach. Null where there is nothing to change.
 */
export function onEveryInterface(addresses: string): string | null {
  const changed = addresses.replace(/\S+/g, (address) =>
    address.replace(LOOPBACK, '0.0.0.0').replace(LOOPBACK6, (host) => (host.startsWith('[') ? '[::]' : '::')),
  );
  return changed === addresses ? null : changed;
}

/** Whether a server's address means the very machine that asks: a loopback name, or a port alone. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address) || LOOPBACK6.test(address) || /^\d+$/.test(address);
}
