import { isAbsolute, join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** Places below a home where programs of this field keep credentials. A name that is not there costs nothing. */
const BELOW_HOME = [
  '.authinfo',
  '.authinfo.gpg',
  '.aws',
  '.azure',
  '.bash_history',
  '.boto',
  '.buildout',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.config/composer/auth.json',
  '.config/containers',
  '.config/doctl',
  '.config/gcloud',
  '.config/gh',
  '.config/git/credentials',
  '.config/glab-cli',
  '.config/helm',
  '.config/hub',
  '.config/nix',
  '.config/op',
  '.config/pip',
  '.config/pypoetry',
  '.config/rclone',
  '.config/sops',
  '.config/uv',
  '.docker',
  '.gem/credentials',
  '.git-credentials',
  '.gnupg',
  '.kube',
  '.local/share/containers',
  '.local/share/keyrings',
  '.local/share/python_keyring',
  '.local/share/uv/credentials',
  '.netrc',
  '.npmrc',
  '.oci',
  '.password-store',
  '.pgpass',
  '.pip',
  '.pypirc',
  '.s3cfg',
  '.ssh',
  '.subversion/auth',
  '.terraform.d',
  '.vault-token',
  '.yarnrc',
  '.yarnrc.yml',
  '.zsh_history',
];

/** Variables whose value is a file or folder with credentials. */
const NAMED_BY_VARIABLES = [
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AZURE_CONFIG_DIR',
  'CLOUDSDK_CONFIG',
  'DOCKER_CERT_PATH',
  'DOCKER_CONFIG',
  'GH_CONFIG_DIR',
  'GNUPGHOME',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'KUBECONFIG',
  'NETRC',
  'NPM_CONFIG_USERCONFIG',
  'PGPASSFILE',
  'PIP_CONFIG_FILE',
  'REGISTRY_AUTH_FILE',
  'SSH_AUTH_SOCK',
  'XAUTHORITY',
];

/** Places of the whole machine. */
const OF_THE_MACHINE = [
  '/etc/containers',
  '/etc/docker',
  '/etc/gshadow',
  '/etc/gshadow-',
  '/etc/krb5.keytab',
  '/etc/kubernetes',
  '/etc/nix/netrc',
  '/etc/pip.conf',
  '/etc/rancher',
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/ssh',
  '/etc/ssl/private',
  '/etc/sudoers',
  '/etc/sudoers.d',
  '/run/containers',
  '/run/credentials',
  '/run/secrets',
  '/run/user',
  '/var/lib/docker',
  '/var/run/secrets',
];

/** All places of credentials there may be, whether they exist or not, as they are written. */
export function credentialPlaces(
  env: Env,
  homes: readonly string[],
  settingFiles: readonly string[],
): readonly string[] {
  const config = env['XDG_CONFIG_HOME'];
  const runtime = env['XDG_RUNTIME_DIR'];
  const places = [
    ...homes.flatMap((home) => BELOW_HOME.map((name) => join(home, name))),
    ...NAMED_BY_VARIABLES.flatMap((name) => (env[name] ?? '').split(':')),
    ...(config === undefined
      ? []
      : BELOW_HOME.flatMap((name) => (name.startsWith('.config/') ? [join(config, name.slice(8))] : []))),
    ...(runtime === undefined ? [] : [runtime]),
    ...OF_THE_MACHINE,
    ...settingFiles,
  ];
  return [...new Set(places.filter((place) => isAbsolute(place)))];
}
