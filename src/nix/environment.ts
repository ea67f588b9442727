import { dirname, join } from 'node:path';
import type { Programs } from './programs.ts';
import { nixFolder } from './store.ts';
import type { Store } from './store.ts';
import type { Workspace } from './workspace.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What an expression may ask for by name and real ones do: nixpkgs' own switches. */
const SWITCHES = [
  'NIXPKGS_ALLOW_BROKEN',
  'NIXPKGS_ALLOW_INSECURE',
  'NIXPKGS_ALLOW_UNFREE',
  'NIXPKGS_ALLOW_UNSUPPORTED_SYSTEM',
];

const PROXIES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'];

/** How Nix reaches another machine. */
const REMOTE_BUILDERS = ['SSH_AUTH_SOCK', 'NIX_SSHOPTS'];

/** The certificates' place inside, see etc.ts. */
export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** The user's name inside, which Nix looks up. */
export const USER_NAME = 'oci-plone';

/**
 * The whole environment of one step: an allow-list. What may hold a password (a proxy's URL) and the ssh agent are for
 * realisation only.
 */
export function environmentOf(
  env: Env,
  step: 'evaluation' | 'realisation',
  context: {
    readonly programs: Programs;
    readonly store: Store;
    readonly workspace: Workspace;
    readonly configuration: string;
    readonly certificates: string | null;
    readonly bubblewrap: boolean;
    /** Whether /tmp is the session's own. */
    readonly privateTmp: boolean;
    readonly nixPath: readonly string[];
  },
): Readonly<Record<string, string>> {
  const { programs, store, workspace } = context;
  const result: Record<string, string> = {
    PATH: [...new Set([dirname(programs.store), '/usr/local/bin', '/usr/bin', '/bin'])].join(':'),
    HOME: workspace.home,
    // The name of a build's folder may reach its output, where Nix's own sandbox does not give it a fixed one.
    TMPDIR: context.privateTmp ? '/tmp' : workspace.temporary,
    USER: USER_NAME,
    LOGNAME: USER_NAME,
    LANG: 'C.UTF-8',
    NIX_CONFIG: context.configuration,
    NIX_PATH: context.nixPath.join(':'),
    // Without these, Nix would read the caller's own files once more where no sandbox hides them.
    NIX_USER_CONF_FILES: '',
    NIX_CONF_DIR: context.bubblewrap ? '/etc/nix' : `${workspace.etc}/nix`,
  };
  // Locks of builders' ids are kept here, whichever store is named.
  if (store.kind === 'chroot' && programs.nixInNix) result['NIX_STATE_DIR'] = join(nixFolder(store), 'var/nix');
  if (store.kind === 'daemon') result['NIX_DAEMON_SOCKET_PATH'] = store.socket;
  if (context.certificates !== null) {
    result['NIX_SSL_CERT_FILE'] = context.bubblewrap ? CERTIFICATES : context.certificates;
  }
  for (const name of SWITCHES) copy(name);
  for (const name of PROXIES) {
    copy(name, (value) => step === 'realisation' || !value.includes('@'));
    copy(name.toUpperCase(), (value) => step === 'realisation' || !value.includes('@'));
  }
  if (step === 'realisation') for (const name of REMOTE_BUILDERS) copy(name);
  return result;

  function copy(name: string, allowed: (value: string) => boolean = () => true): void {
    const value = env[name];
    if (value !== undefined && allowed(value)) result[name] = value;
  }
}
