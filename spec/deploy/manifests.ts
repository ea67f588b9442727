import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { fixture } from '../support/fixtures.ts';

export const COMPOSE: string = fixture('deploy', 'compose.yaml');
export const KUBERNETES: string = fixture('deploy', 'kubernetes.yaml');

/** The image that oci-plone made; what else is in these files is somebody else's. */
const IMAGE = 'registry.example.org/plone:6.2';

/** A container of the image, as either file describes it: what has to fit what is in the image. */
export interface Container {
  readonly name: string;
  /** What follows the entrypoint. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Programs that are started beside the first, as whole command lines. */
  readonly probes: readonly (readonly string[])[];
  /** What asks it over HTTP. */
  readonly paths: readonly string[];
  readonly ports: readonly number[];
  /** Where something is mounted: a volume, a tmpfs, a secret, a file. */
  readonly mounts: readonly string[];
  readonly readOnly: boolean;
  readonly user: number | null;
  readonly group: number | null;
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
}

interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
}

/** The services of the compose file. */
export function compose(): Compose {
  // Its schema is tested beside this.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return parse(readFileSync(COMPOSE, 'utf8'), { merge: true }) as Compose;
}

export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly template?: { readonly metadata: { readonly labels: unknown }; readonly spec: Pod };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
  };
}

interface Pod {
  readonly securityContext: { readonly runAsUser: number; readonly fsGroup: number; readonly runAsNonRoot: boolean };
  readonly containers: readonly PodContainer[];
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly exec?: { readonly command: readonly string[] };
}

interface PodContainer {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

/** The documents of the Kubernetes manifest. */
export function kubernetes(): readonly Resource[] {
  const documents = parseAllDocuments(readFileSync(KUBERNETES, 'utf8'));
  // Its schemas are tested beside this.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return documents.map((document) => document.toJS() as Resource);
}

/** Every container of the image in both files. */
export function containers(): readonly Container[] {
  return [...composeContainers(), ...kubernetesContainers()];
}

function composeContainers(): Container[] {
  return Object.entries(compose().services)
    .filter(([, { image }]) => image === IMAGE)
    .map(([name, service]) => ({
      name: `compose.yaml ${name}`,
      args: service.command ?? [],
      env: service.environment ?? {},
      probes: service.healthcheck === undefined ? [] : [service.healthcheck.test.slice(1)],
      paths: [],
      ports: [],
      mounts: [
        ...(service.tmpfs ?? []),
        ...(service.volumes ?? []).map((volume) => volume.split(':')[1] ?? ''),
        ...(service.secrets ?? []).map((secret) => `/run/secrets/${secret}`),
        ...(service.configs ?? []).map(({ target }) => target),
      ],
      readOnly: service.read_only === true,
      user: null,
      group: null,
    }));
}

function kubernetesContainers(): Container[] {
  const pods = kubernetes().flatMap((resource) => resource.spec?.template?.spec ?? []);
  return pods.flatMap((pod) =>
    pod.containers
      .filter(({ image }) => image === IMAGE)
      .map((container) => {
        const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
        return {
          name: `kubernetes.yaml ${container.name}`,
          args: container.args ?? [],
          env: Object.fromEntries((container.env ?? []).map(({ name, value = '' }) => [name, value])),
          probes: probes.flatMap((probe) => (probe?.exec === undefined ? [] : [probe.exec.command])),
          paths: probes.flatMap((probe) => probe?.httpGet?.path ?? []),
          ports: (container.ports ?? []).map(({ containerPort }) => containerPort),
          mounts: container.volumeMounts.map(({ mountPath }) => mountPath),
          readOnly: container.securityContext.readOnlyRootFilesystem,
          user: pod.securityContext.runAsUser,
          group: pod.securityContext.fsGroup,
        };
      }),
  );
}
