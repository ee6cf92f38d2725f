import { KubeConfig } from '@kubernetes/client-node';
import { describe, VerdigrisError } from '../../model/errors.ts';

/** Which cluster, where it is not the one that this process finds by itself. */
export interface ClusterAccess {
  /** A kubeconfig's content, or the path of its file. */
  readonly kubeconfig?: string | undefined;
  /** One of its contexts; the current one where none is named. */
  readonly context?: string | undefined;
}

/**
 * By the kubeconfig that is given; else by the pod's service account inside a cluster, by KUBECONFIG or ~/.kube/config
 * outside.
 */
export function loadConfig({ kubeconfig, context }: ClusterAccess): {
  readonly config: KubeConfig;
  /** Whether this process runs in the cluster, and so reaches its addresses. */
  readonly inside: boolean;
} {
  const config = new KubeConfig();
  const inside =
    kubeconfig === undefined &&
    process.env['KUBERNETES_SERVICE_HOST'] !== undefined &&
    process.env['KUBECONFIG'] === undefined;
  if (inside) config.loadFromCluster();
  else if (kubeconfig !== undefined) loadGiven(config, kubeconfig);
  else config.loadFromDefault();
  if (!inside && context !== undefined) {
    if (!config.getContextObject(context))
      throw noCluster(
        `The kubeconfig has no context ${context}; it has ${
          config
            .getContexts()
            .map(({ name }) => name)
            .join(', ') || 'none'
        }.`,
      );
    config.setCurrentContext(context);
  }
  // Without any kubeconfig the library answers with http://localhost:8080, which is nobody's cluster.
  const current = config.getCurrentCluster();
  if (!current || (kubeconfig === undefined && !inside && current.server === 'http://localhost:8080'))
    throw noCluster('There is no kubeconfig with a current context.');
  return { config, inside };
}

/** As Pulumi's Kubernetes provider takes it: content, or else a path. */
function loadGiven(config: KubeConfig, kubeconfig: string): void {
  try {
    if (/[\n{]/.test(kubeconfig)) config.loadFromString(kubeconfig);
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw noCluster(`The kubeconfig that was given cannot be read: ${describe(error)}.`);
  }
}

function noCluster(seen: string): VerdigrisError {
  return new VerdigrisError('no-cluster', {
    seen,
    required: 'a cluster.',
    next: 'set KUBECONFIG, or declare kubernetes.context; in a Pulumi program, give a verdigris.Provider (docs/kubernetes.md).',
  });
}
