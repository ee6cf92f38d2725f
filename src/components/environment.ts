import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Colour } from '../model/colours.ts';
import { parseEnvironment } from '../model/environment.ts';
import { networkPolicies } from './manifests/network.ts';
import { Traffic } from './traffic.ts';

export interface EnvironmentArgs {
  /** The declaration as docs/declaration.md describes it, for the platform kubernetes. */
  readonly declaration: Readonly<Record<string, unknown>>;
  /** Where the declaration's paths begin; the program's own folder. */
  readonly folder?: string;
  readonly onDestroy?: 'keep' | 'remove';
}

/**
 * One database service with two slots, to be declared by any Pulumi program. What has no moment of its own is a plain resource
 * of the cluster; what a release does to it in order is the one resource `Traffic`.
 */
export class Environment extends pulumi.ComponentResource {
  /** Where clients connect: `host:port`. */
  readonly address: pulumi.Output<string>;
  readonly live: pulumi.Output<Colour>;
  readonly state: pulumi.Output<string>;
  readonly release: pulumi.Output<string>;
  /** Milliseconds that clients were held at the last switchover. */
  readonly lastPauseMs: pulumi.Output<number | undefined>;

  constructor(name: string, { declaration, folder, onDestroy }: EnvironmentArgs, options?: pulumi.ComponentResourceOptions) {
    super('verdigris:index:Environment', name, {}, options);
    const environment = parseEnvironment(declaration, `the environment ${name}`);
    const policies = networkPolicies(environment).map(({ metadata, ...rest }) =>
      new kubernetes.networking.v1.NetworkPolicy(`${name}-${metadata.labels?.['app.kubernetes.io/component'] ?? 'policy'}`, { metadata, spec: rest['spec'] } as kubernetes.networking.v1.NetworkPolicyArgs, { parent: this }));
    const { live, canary, ...rest } = declaration as { live: Colour; canary?: number };
    const traffic = new Traffic(name, {
      live, environment: rest,
      ...(canary === undefined ? {} : { canary }), ...(folder === undefined ? {} : { folder }), ...(onDestroy === undefined ? {} : { onDestroy }),
    }, { parent: this, dependsOn: policies });
    this.address = traffic.address;
    this.live = traffic.live;
    this.state = traffic.state;
    this.release = traffic.release;
    this.lastPauseMs = traffic.lastPauseMs;
    this.registerOutputs({ address: this.address, live: this.live, state: this.state, release: this.release, lastPauseMs: this.lastPauseMs });
  }
}
