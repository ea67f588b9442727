/** What pip is told about indexes and the way to them. */
export interface PipSettings {
  readonly indexUrl: string | null;
  readonly extraIndexUrls: readonly string[];
  readonly findLinks: readonly string[];
  readonly noIndex: boolean;
  /** Paths of PEM files, or null. */
  readonly cert: string | null;
  readonly clientCert: string | null;
  readonly trustedHosts: readonly string[];
  /** Milliseconds, or null. */
  readonly timeout: number | null;
  readonly proxy: string | null;
}

/** Key and value of what counts for `pip install`, later sources over earlier ones. */
type Values = ReadonlyMap<string, string>;

/**
 * The settings that follow from configuration files and from the environment.
 *
 * @param files - their texts, the weakest first
 */
export function pipSettings(files: readonly string[], env: Readonly<Record<string, string | undefined>>): PipSettings {
  const values = new Map<string, string>();
  for (const file of files) for (const [key, value] of parsePipConfig(file)) values.set(key, value);
  for (const [name, value] of Object.entries(env))
    if (name.startsWith('PIP_') && value !== undefined && value !== '')
      values.set(name.slice(4).toLowerCase().replaceAll('_', '-'), value);
  return read(values);
}

function read(values: Values): PipSettings {
  const words = (key: string): readonly string[] => (values.get(key) ?? '').split(/\s+/).filter((word) => word !== '');
  const text = (...keys: readonly string[]): string | null =>
    keys.map((key) => values.get(key)).find((value) => value !== undefined) ?? null;
  const timeout = Number(text('timeout', 'default-timeout') ?? Number.NaN);
  return {
    indexUrl: text('index-url', 'pypi-url'),
    extraIndexUrls: words('extra-index-url'),
    findLinks: words('find-links'),
    noIndex: /^(?:1|y|yes|t|true|on)$/i.test(values.get('no-index') ?? ''),
    cert: text('cert'),
    clientCert: text('client-cert'),
    trustedHosts: words('trusted-host'),
    timeout: timeout > 0 ? timeout * 1000 : null,
    proxy: text('proxy'),
  };
}

/** Python's configparser, as far as pip's files go: `[global]`, and over it `[install]`. Empty values count as none. */
function parsePipConfig(text: string): Values {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let open: string | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      section = sections.get(header) ?? new Map<string, string>();
      sections.set(header, section);
      open = undefined;
    } else if (/^\s/.test(line) && open !== undefined) {
      section?.set(open, `${section.get(open) ?? ''}\n${line.trim()}`.trim());
    } else {
      const [, key, value = ''] = /^\s*([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
      open = key?.toLowerCase().replaceAll('_', '-').replace(/^--/, '');
      if (open !== undefined) section?.set(open, value.trim());
    }
  }
  const values = [...(sections.get('global') ?? []), ...(sections.get('install') ?? [])];
  return new Map(values.filter(([, value]) => value !== ''));
}
