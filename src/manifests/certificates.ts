import type { Environment } from '../model/environment.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames, type Named } from './names.ts';

/** A certificate, its key, and who signed it; PEM, under the keys that cert-manager has. */
export interface Certificate {
  readonly 'tls.crt': string;
  readonly 'tls.key': string;
  readonly 'ca.crt': string;
}

/** Where the certificate is in the poolers, and who signed it in what only connects. */
export const poolerTlsMount = '/etc/pgbouncer-tls';
const authorityMount = '/etc/verdigris-authority';
/** In a container that connects but must not have the servers' key; it follows the Secret. */
export const authorityFile = `${authorityMount}/ca.crt`;

/** Whether clients and servers that use no TLS are refused. */
export function plainRefused({ kubernetes: { tls } }: Pick<Environment, 'kubernetes'>): boolean {
  return tls?.plain === 'refused';
}

/** The Secret with the certificate of servers and poolers: a declared one, else the environment's own. */
export function certificateSecret({ name, kubernetes: { tls } }: Named): string {
  return tls?.secret ?? objectNames.certificate(name);
}

/** The name by which a Service is reached, and that its certificate is for. */
export function serviceHost({ kubernetes: { namespace } }: Named, service: string): string {
  return `${service}.${namespace}.svc`;
}

/** Names that the certificate must be for: of the colours, the routes to them and the poolers. */
export function requiredNames(environment: Named): string[] {
  const { name } = environment;
  return [
    objectNames.colour(name, 'blue'),
    objectNames.colour(name, 'green'),
    objectNames.writes(name),
    objectNames.reads(name),
    objectNames.pooler(name),
  ].map((service) => serviceHost(environment, service));
}

/** Names that our own certificate is for: clients may name the poolers in all ways that the cluster resolves. */
export function certificateNames(environment: Named): string[] {
  const { namespace, adopt } = environment.kubernetes;
  const pooler = [objectNames.pooler(environment.name), ...(adopt?.service ? [adopt.service.name] : [])];
  const short = pooler.flatMap((service) => [service, `${service}.${namespace}`]);
  const long = pooler.map((service) => serviceHost(environment, service));
  return [...new Set([...requiredNames(environment), ...long, ...short])].flatMap((each) =>
    each.endsWith('.svc') ? [each, `${each}.cluster.local`] : [each],
  );
}

/** The authority's certificate and key: read by the operator alone, mounted nowhere. */
export function authoritySecret(environment: Named, certificate: string, key: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'database', objectNames.authority(environment.name)),
    type: 'Opaque',
    stringData: { 'ca.crt': certificate, 'ca.key': key },
  };
}

export function ownCertificate(environment: Named, certificate: Certificate): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'database', objectNames.certificate(environment.name)),
    type: 'kubernetes.io/tls',
    stringData: certificate,
  };
}

/**
 * Of a pod that connects: who signed, of the Secret nothing else. Not the ConfigMap that clients mount: who may edit
 * that would have it trust another's certificate.
 */
export function authorityVolumes(environment: Named): Record<string, unknown>[] {
  if (!environment.kubernetes.tls) return [];
  const items = [{ key: 'ca.crt', path: 'ca.crt' }];
  return [{ name: 'authority', secret: { secretName: certificateSecret(environment), items, defaultMode: 0o440 } }];
}

export function authorityMounts({ kubernetes: { tls } }: Pick<Named, 'kubernetes'>): Record<string, unknown>[] {
  return tls ? [{ name: 'authority', mountPath: authorityMount, readOnly: true }] : [];
}

/** Who signed, for clients to mount: public. */
export function authorityConfig(environment: Named, certificate: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(environment, 'pooler', objectNames.authority(environment.name)),
    data: { 'ca.crt': certificate },
  };
}

/**
 * Shell that runs beside a server as long as it does, and has it read its certificate again when the Secret's volume
 * has changed: kubelet exchanges the link `..data` in one step, so certificate and key belong together. A lock of the
 * shell's (9) is not kept by it.
 */
export function reloadOnRenewal(mount: string, reload: string): string {
  return `( seen=$(readlink ${mount}/..data)
  while sleep 5; do
    now=$(readlink ${mount}/..data)
    if [ "$now" != "$seen" ]; then seen=$now; ${reload}; fi
  done ) </dev/null 9>&- &`;
}
