import * as pulumi from '@pulumi/pulumi';

export interface ProviderArgs {
  /**
   * A kubeconfig's content, or the path of its file; kept as a secret. KUBECONFIG or ~/.kube/config where it is left
   * out.
   */
  readonly kubeconfig?: pulumi.Input<string>;
  /** One of its contexts; its current one where it is left out. */
  readonly context?: pulumi.Input<string>;
  /** Of environments whose declaration names none. */
  readonly namespace?: string;
  /** A preview fails where the first gate of the release refuses now. */
  readonly previewFails?: pulumi.Input<boolean>;
}

/** Which cluster the environments are in that are given this provider. */
export class Provider extends pulumi.ProviderResource {
  readonly namespace: string | undefined;

  constructor(
    name: string,
    {
      kubeconfig,
      context,
      namespace,
      previewFails = new pulumi.Config('verdigris').getBoolean('previewFails'),
    }: ProviderArgs = {},
    options?: pulumi.ResourceOptions,
  ) {
    super(
      'verdigris',
      name,
      { kubeconfig: kubeconfig === undefined ? undefined : pulumi.secret(kubeconfig), context, previewFails },
      options,
    );
    this.namespace = namespace;
  }
}
