import * as pulumi from '@pulumi/pulumi';
import type { Colour } from '../../model/colours.ts';
import { parseEnvironment } from '../../model/environment.ts';
import { clientAddresses, clientSecrets, type Addresses } from '../../manifests/addresses.ts';
import { fixedManifests } from '../../manifests/fixed.ts';
import type { Kind, Manifest } from '../../manifests/manifest.ts';
import { clusterPlaceOf } from './place.ts';
import { plainResource } from './plain.ts';
import { plainly } from './plainly.ts';
import { Traffic } from './traffic.ts';

export interface EnvironmentArgs {
  /** The declaration as docs/declaration.md describes it, for the platform kubernetes. */
  readonly declaration: Readonly<Record<string, unknown>>;
  /** Where the declaration's paths begin; the program's own folder. */
  readonly folder?: string;
  /**
   * `keep`, the default, protects the environment: neither a destroy nor its leaving the program removes anything.
   * `remove` lifts that, in an update of its own.
   */
  readonly onDestroy?: 'keep' | 'remove';
  /** Those that come first, as a canary does: where one of them fails, nothing of this one is begun. */
  readonly after?: readonly Environment[];
  /** Takes an environment that another stack made into this one, as it is. To be left out again afterwards. */
  readonly import?: boolean;
}

/**
 * One database service with two slots, to be declared by any Pulumi program. What has no moment of its own is a plain
 * resource of the cluster; what a release does to it in order is the one resource `Traffic`.
 */
export class Environment extends pulumi.ComponentResource {
  /** Where clients connect: `host:port`. */
  readonly address: pulumi.Output<string>;
  /** The same as addresses of PostgreSQL without user and password: `rw` for writes, `ro` for reads. */
  readonly addresses: pulumi.Output<Addresses>;
  /** Names of the Secrets with user, password and `uri`, by role. */
  readonly secrets: pulumi.Output<Record<string, string>>;
  readonly live: pulumi.Output<Colour>;
  readonly state: pulumi.Output<string>;
  readonly release: pulumi.Output<string>;
  /** Milliseconds that clients were held at the last switchover. */
  readonly pauseMs: pulumi.Output<number | undefined>;

  constructor(
    name: string,
    { declaration, folder, onDestroy = 'keep', after = [], import: taken = false }: EnvironmentArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super('verdigris:index:Environment', name, {}, { protect: onDestroy === 'keep', ...options });
    const place = clusterPlaceOf(
      name,
      this.getProvider('verdigris:index:Traffic'),
      this.getProvider('kubernetes:core/v1:Service'),
    );
    const declared = inNamespace(declaration, place.namespace);
    const environment = plainly(() => parseEnvironment(declared, `the environment ${name}`));
    const { namespace } = environment.kubernetes;
    const existing = (object: string): { import?: string } => (taken ? { import: `${namespace}/${object}` } : {});
    const plain = (manifest: Manifest, dependsOn: pulumi.Resource[]): pulumi.CustomResource =>
      plainResource(`${name}-${shortName(manifest.kind)}-${manifest.metadata.name}`, manifest, {
        parent: this,
        dependsOn,
        ...existing(manifest.metadata.name),
      });
    const fixed = fixedManifests(environment);
    const before = fixed.filter(({ kind }) => isGuarding(kind)).map((manifest) => plain(manifest, [...after]));
    const { live, canary, ...rest } = declared as { live: Colour; canary?: number };
    const traffic = new Traffic(
      name,
      {
        live,
        environment: rest,
        onDestroy,
        ...(canary === undefined ? {} : { canary }),
        ...(folder === undefined ? {} : { folder }),
        ...(place.cluster === undefined ? {} : { cluster: place.cluster }),
      },
      { parent: this, dependsOn: [...after, ...before], ...existing(environment.name) },
    );
    // What looks at the environment becomes ready only where there is one.
    for (const manifest of fixed) if (!isGuarding(manifest.kind)) plain(manifest, [traffic]);
    this.address = traffic.address;
    this.addresses = pulumi.output(clientAddresses(environment));
    this.secrets = pulumi.output(clientSecrets(environment));
    this.live = traffic.live;
    this.state = traffic.state;
    this.release = traffic.release;
    this.pauseMs = traffic.pauseMs;
    this.registerOutputs({
      address: this.address,
      addresses: this.addresses,
      secrets: this.secrets,
      live: this.live,
      state: this.state,
      release: this.release,
      pauseMs: this.pauseMs,
    });
  }
}

/** A declaration with the namespace of its surroundings, where it names none itself. */
function inNamespace(
  declaration: Readonly<Record<string, unknown>>,
  namespace: string | undefined,
): Readonly<Record<string, unknown>> {
  const { kubernetes } = declaration as { kubernetes?: Readonly<Record<string, unknown>> };
  if (namespace === undefined || kubernetes?.['namespace'] !== undefined) return declaration;
  return { ...declaration, kubernetes: { ...kubernetes, namespace } };
}

/** Apart, so that objects of two kinds may bear one name. */
function shortName(kind: string): string {
  return kind.replaceAll(/[a-z]/g, '').toLowerCase();
}

/** What must be there before the first pod is. */
function isGuarding(kind: Kind): boolean {
  return kind === 'NetworkPolicy' || kind === 'PodDisruptionBudget';
}
