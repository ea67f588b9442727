import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type SecureContext, createSecureContext } from 'node:tls';
import { localError, OciPloneError, systemCode } from '../errors.ts';

export interface CertificateOptions {
  /** SSL_CERT_FILE and NODE_EXTRA_CA_CERTS are taken from here. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A PEM file of certificate authorities, as pip's `cert`: it replaces SSL_CERT_FILE. */
  readonly cert?: string | null;
  /** A PEM file with a client's certificate and its key, as pip's `client-cert`. */
  readonly clientCert?: string | null;
}

/**
 * Who is trusted, and who this client is, made once for all connections: reading a bundle takes milliseconds. As with pip
 * and OpenSSL, a bundle that is named replaces those built in; NODE_EXTRA_CA_CERTS is added to it, as to those. Undefined
 * where nothing is named, and Node's own rules hold.
 *
 * @throws INPUT_ABSENT, INPUT_MALFORMED, LOCAL_IO for a file named by an option; SSL_CERT_FILE may name none
 */
export function secureContext({ env, cert, clientCert }: CertificateOptions): SecureContext | undefined {
  const bundle = cert ? readNamed('cert', cert) : readIfThere(env['SSL_CERT_FILE']);
  const client = clientCert ? readNamed('client-cert', clientCert) : null;
  if (bundle === null && client === null) return undefined;
  const extra = bundle === null ? null : readIfThere(env['NODE_EXTRA_CA_CERTS']);
  // Often both name the same file, and each of its certificates takes its time.
  const authorities = [bundle, bundle !== null && extra?.equals(bundle) === true ? null : extra].filter(
    (pem) => pem !== null,
  );
  try {
    // createSecureContext takes a bundle without one readable certificate for an empty one.
    for (const pem of authorities) void new X509Certificate(pem);
    return createSecureContext({
      ...(authorities.length === 0 ? {} : { ca: authorities }),
      ...(client === null ? {} : { cert: client, key: client }),
    });
  } catch (error) {
    const files = [cert || env['SSL_CERT_FILE'], clientCert].filter((file) => file).join(', ');
    throw new OciPloneError('INPUT_MALFORMED', `the certificates of ${files} cannot be read: ${reasonOf(error)}`, {
      hint: 'They have to be in PEM form: -----BEGIN CERTIFICATE-----.',
      cause: error,
    });
  }
}

function readNamed(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      throw new OciPloneError('INPUT_ABSENT', `${file}, named by "${option}", does not exist`, { cause: error });
    throw localError(`reading ${file}, named by "${option}"`, error);
  }
}

/** OpenSSL passes over a file that is not there; in a Nix shell SSL_CERT_FILE names one on purpose. */
function readIfThere(file: string | undefined): Buffer | null {
  if (file === undefined || file === '') return null;
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
