/** An `<a>` of a page, with what PEP 503 puts on it. */
export interface Link {
  readonly href: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly text: string;
}

const ANCHOR = /<a\s([^>]*)>([^<]{0,500})/gi;
const BASE = /<base\s([^>]*)>/i;
const ATTRIBUTE = /([a-z][a-z0-9-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The links of an HTML page and its `<base>`. Comments hold none. */
export function parseLinks(page: string): { readonly links: readonly Link[]; readonly base: string | null } {
  const html = page.replace(/<!--.*?-->/gs, '');
  const links: Link[] = [];
  // A `>` inside of quotes ends no tag: data-requires-python=">=3.8" is written raw by some.
  for (const [, raw = '', text = ''] of protect(html).matchAll(ANCHOR)) {
    const attributes = readAttributes(raw);
    const href = attributes.get('href');
    if (href !== undefined) links.push({ href, attributes, text: decode(text).trim() });
  }
  const base = BASE.exec(html)?.[1];
  return { links, base: base === undefined ? null : (readAttributes(base).get('href') ?? null) };
}

function protect(html: string): string {
  return html.replace(/=\s*("[^"]*"|'[^']*')/g, (value) => value.replaceAll('>', '&gt;').replaceAll('<', '&lt;'));
}

function readAttributes(raw: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single, bare] of raw.matchAll(ATTRIBUTE))
    attributes.set(name.toLowerCase(), decode(double ?? single ?? bare ?? ''));
  return attributes;
}

function decode(text: string): string {
  return text.replace(
    /&(?:#(\d{1,6})|#x([0-9a-f]{1,5})|([a-z]+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}
