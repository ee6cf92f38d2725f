import { randomBytes } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import { operatorRules, serviceRole } from '../../../src/manifests/rbac.ts';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { Cluster } from '../../../src/platform/kubernetes/cluster.ts';
import { Transport } from '../../../src/platform/kubernetes/http.ts';

/** As whoever KUBECONFIG says: an administrator of the test cluster. */
export function administrator(): KubeConfig {
  if (process.env['KUBECONFIG'] === undefined)
    throw new Error('KUBECONFIG is not set: these tests need a cluster, and do not guess one');
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

export interface TestNamespace {
  readonly name: string;
  readonly admin: Cluster;
  /** The operator, with the Role of the docs and nothing more. */
  readonly operator: KubeConfig;
}

/** A namespace of its own for the length of `use`, with an operator in it who has just the documented Role. */
export async function withNamespace<T>(
  labels: Record<string, string>,
  use: (namespace: TestNamespace) => Promise<T>,
): Promise<T> {
  const config = administrator();
  const transport = new Transport(config);
  const name = `vg-${randomBytes(3).toString('hex')}`;
  const admin = Cluster.of(config, name);
  try {
    await must(transport, 'POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels },
    });
    const environment = parseEnvironment(
      {
        name: 'any',
        platform: 'kubernetes',
        database: 'any',
        roles: { application: ['any'] },
        colours: { blue: { release: '1', postgres: 15 } },
        live: 'blue',
        kubernetes: { namespace: name, images: { pooler: 'any:1' } },
      },
      'the test',
    );
    for (const manifest of serviceRole(environment, 'verdigris', operatorRules)) await admin.apply(manifest);
    const { status } = (await must(transport, 'POST', `/api/v1/namespaces/${name}/serviceaccounts/verdigris/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 7200 },
    })) as { status: { token: string } };
    return await use({ name, admin, operator: withToken(config, status.token) });
  } finally {
    await transport.send('DELETE', `/api/v1/namespaces/${name}`).catch(() => undefined);
    transport.close();
    admin.close();
  }
}

async function must(transport: Transport, method: string, path: string, body: unknown): Promise<unknown> {
  const answer = await transport.send(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

function withToken(from: KubeConfig, token: string): KubeConfig {
  const cluster = from.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has a current cluster');
  const config = new KubeConfig();
  config.loadFromClusterAndUser(cluster, { name: 'verdigris', token });
  return config;
}
