import * as pulumi from '@pulumi/pulumi';
import type { Colour } from '../../model/colours.ts';

export interface TrafficArgs {
  /** The colour that takes writes. Changing it is the switchover, changing it back the rollback. */
  readonly live: pulumi.Input<Colour>;
  /** Per cent of the readers that go to the other colour. */
  readonly canary?: pulumi.Input<number>;
  /** The declaration of the environment, without `live` and `canary`. */
  readonly environment: pulumi.Input<Readonly<Record<string, unknown>>>;
  /** Where the declaration's paths begin. */
  readonly folder?: pulumi.Input<string>;
  /** Which cluster, where no `verdigris.Provider` says it: `kubeconfig`, `context`. */
  readonly cluster?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  readonly onDestroy?: pulumi.Input<'keep' | 'remove'>;
}

/** The custom resource of Verdigris's own provider: an environment, whose update is the release. */
export class Traffic extends pulumi.CustomResource {
  declare readonly live: pulumi.Output<Colour>;
  declare readonly state: pulumi.Output<string>;
  declare readonly release: pulumi.Output<string>;
  declare readonly address: pulumi.Output<string>;
  declare readonly pauseMs: pulumi.Output<number | undefined>;
  /** What a refresh found that somebody changed by hand; the next update puts it right. */
  declare readonly drift: pulumi.Output<string[] | undefined>;

  /** Every object of the cluster that the declaration leads to, by kind and name. */
  declare readonly objects: pulumi.Output<Readonly<Record<string, unknown>> | undefined>;

  /** Uids of the environment, its namespace and its cluster: what is not this very one is never taken for it. */
  declare readonly identity: pulumi.Output<Readonly<Record<string, string>> | undefined>;

  constructor(name: string, args: TrafficArgs, options?: pulumi.CustomResourceOptions) {
    super(
      'verdigris:index:Traffic',
      name,
      {
        state: undefined,
        release: undefined,
        address: undefined,
        pauseMs: undefined,
        drift: undefined,
        identity: undefined,
        objects: undefined,
        ...args,
      },
      options,
    );
  }
}
