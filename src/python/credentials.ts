/** An address taken apart from the user and password that may stand in it. */
export interface Stripped {
  readonly url: string;
  /** `user:password`, still percent-encoded as in the URL, or null. */
  readonly userInfo: string | null;
}

/** Takes user and password out of an address. */
export function stripCredentials(address: string): Stripped {
  if (!URL.canParse(address)) return { url: address, userInfo: null };
  const url = new URL(address);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  return { url: url.toString(), userInfo: username === '' && password === '' ? null : `${username}:${password}` };
}

/** Which credentials belong to which origin: scheme, host and port have to be the same. */
export class OriginCredentials {
  readonly #known = new Map<string, string>();

  constructor(addresses: readonly string[]) {
    for (const address of addresses) {
      const { url, userInfo } = stripCredentials(address);
      if (userInfo !== null) this.#known.set(new URL(url).origin, userInfo);
    }
  }

  /** The address as it is to be asked for: with the credentials of its own origin, if there are any. */
  apply(address: string): string {
    const url = new URL(address);
    const userInfo = this.#known.get(url.origin);
    if (userInfo === undefined) return address;
    const colon = userInfo.indexOf(':');
    url.username = userInfo.slice(0, colon);
    url.password = userInfo.slice(colon + 1);
    return url.toString();
  }
}
