import * as pulumi from '@pulumi/pulumi';
import { Provider } from './provider.ts';

/** Where an environment is, beside what its declaration says. */
export interface ClusterPlace {
  readonly namespace: string | undefined;
  /** As an input of `Traffic`; undefined where the provider knows it. */
  readonly cluster: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>> | undefined;
}

/**
 * By the provider that was given, else by the stack's `kubernetes:` configuration, as Pulumi's own provider takes it.
 * One Kubernetes provider without ours would put network policies into its cluster and the database into another.
 */
export function clusterPlaceOf(
  name: string,
  own: pulumi.ProviderResource | undefined,
  kubernetes: pulumi.ProviderResource | undefined,
): ClusterPlace {
  if (own) return { namespace: own instanceof Provider ? own.namespace : undefined, cluster: undefined };
  if (kubernetes)
    throw new pulumi.RunError(
      `The environment ${name} is given a Kubernetes provider and no verdigris.Provider: its database would be made in ` +
        'the cluster of KUBECONFIG, whatever that is. Next: give both, `providers: { kubernetes, verdigris: new ' +
        'verdigris.Provider(name, { kubeconfig, context }) }`.',
    );
  const config = new pulumi.Config('kubernetes');
  const [kubeconfig, context] = [config.getSecret('kubeconfig'), config.get('context')];
  const cluster = {
    ...(kubeconfig === undefined ? {} : { kubeconfig: kubeconfig }),
    ...(context === undefined ? {} : { context }),
  };
  return {
    namespace: config.get('namespace'),
    cluster: Object.keys(cluster).length === 0 ? undefined : pulumi.secret(cluster),
  };
}
