import { refuseNewer, writtenToken } from '../../manifests/token.ts';
import { adoptedSelector } from '../../manifests/adopted.ts';
import { clientServices, istioDestinations, istioRoutes, selectorOf, type Route } from '../../manifests/traffic.ts';
import { colourSelector, domain, objectNames, selectorLabels } from '../../manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import type { Trial } from '../trial.ts';
import type { AdoptedServer } from './adopted.ts';
import type { Cluster, Stored } from './cluster.ts';
import { refuseWeights } from '../no-weights.ts';

interface ServiceObject extends Stored {
  readonly spec: {
    readonly selector: Record<string, string>;
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly port: number }[];
  };
}

interface RouteObject extends Stored {
  readonly spec: Readonly<Record<string, unknown>>;
}

/** On a Service of somebody else's: the environment whose live colour it leads to. */
const followsLabel = `${domain}/follows`;

/** The client-facing Services and, with Istio, the routes. Nobody else writes them. */
export class Routes {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #adoption: AdoptedServer;
  /**
   * As last read or written, so that a move is one request an object; one that was changed since conflicts and is read
   * again.
   */
  readonly #known = new Map<string, RouteObject>();

  constructor(environment: Environment, cluster: Cluster, adoption: AdoptedServer) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#adoption = adoption;
  }

  /** Makes what is missing, pointing as `route` says. What is there already keeps where it points. */
  async establish(route: Route): Promise<void> {
    const fixed = this.#environment.kubernetes.istio ? istioDestinations(this.#environment) : [];
    for (const manifest of fixed) await this.#cluster.apply(manifest);
    for (const manifest of this.#moving(await this.#found(route))) await this.#cluster.create(manifest);
  }

  async remove(): Promise<void> {
    const {
      name,
      kubernetes: { istio },
    } = this.#environment;
    for (const each of [objectNames.writes(name), objectNames.reads(name)]) {
      await this.#cluster.delete('Service', each);
      if (istio) await this.#cluster.delete('VirtualService', each);
    }
    if (!istio) return;
    await this.#cluster.delete('DestinationRule', objectNames.both(name));
    await this.#cluster.delete('Service', objectNames.both(name));
  }

  /** Where writes go now, by the object that decides it. */
  async current(): Promise<
    (Route & { readonly clusterIP: string | undefined; readonly selector: string | undefined }) | undefined
  > {
    const found = await this.#cluster.read<ServiceObject>('Service', objectNames.writes(this.#environment.name));
    if (!found) return undefined;
    const { live, canary, token } = routeOf(found);
    return {
      live,
      canary,
      token,
      clusterIP: found.spec.clusterIP,
      selector: found.spec.selector[`${domain}/colour`] ?? ((await this.#adoption.of('blue')) ? 'blue' : undefined),
    };
  }

  /**
   * Reads beforehand what `move` will write, over connections that stay open for it, and asks whether that would be
   * taken: Istio's webhook refuses every change of a route while no istiod runs, and the clients would be held by then.
   */
  async foresee(): Promise<void> {
    await this.#adoption.of('blue');
    await Promise.all(
      this.#moving({ live: 'blue', canary: 0, token: 0 }).map(async ({ kind, metadata: { name } }) => {
        const found = await this.#cluster.read<RouteObject>(kind, name);
        if (!found) return;
        this.#known.set(`${kind} ${name}`, found);
        await this.#cluster.replace(found, { dryRun: true });
      }),
    );
  }

  /** What `move` will write, each asked of the API server by a dry run, under the newest token. */
  trials(): Trial[] {
    const { namespace } = this.#cluster;
    return this.#moving({ live: 'blue', canary: 0, token: 0 }).map(({ kind, metadata: { name } }) => ({
      thing: `${kind} ${namespace}/${name}`,
      fix:
        `Run \`verdigris up\` where it is missing; where its token was edited, \`kubectl -n ${namespace} ` +
        `annotate ${kind.toLowerCase()} ${name} ${domain}/token=0 --overwrite\`; where a webhook refuses, start ` +
        'what answers it.',
      use: async () => {
        const [found, lease] = await Promise.all([
          this.#cluster.read<RouteObject>(kind, name),
          this.#cluster.read<Stored & { spec: { leaseTransitions?: number } }>(
            'Lease',
            objectNames.lease(this.#environment.name),
          ),
        ]);
        if (!found) throw new Error('it is not there');
        const [token, newest] = [routeOf(found).token, lease?.spec.leaseTransitions];
        if (newest !== undefined && token > newest)
          throw new Error(`its token is ${token}, and the newest that anybody was given is ${newest}`);
        await this.#cluster.replace(found, { dryRun: true });
      },
    }));
  }

  /** The command that points the Services to a colour again. */
  fix(live: Colour): string {
    const {
      name,
      kubernetes: { namespace },
    } = this.#environment;
    const selector = Object.entries(colourSelector(this.#environment, live))
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    return (
      `See the pooler's log. Where a Service was changed by hand: \`kubectl -n ${namespace} set selector ` +
      `service/${objectNames.writes(name)} ${selector}\`, and the same for service/${objectNames.reads(name)}.`
    );
  }

  /** All at once, each a compare-and-swap under the fencing token: whoever has a smaller one changes nothing. */
  async move(route: Route): Promise<void> {
    const found = await this.#found(route);
    await Promise.all([
      ...this.#moving(found).map((manifest) => this.#swap(manifest, route.token)),
      this.#alias(found),
    ]);
  }

  /** As long as a colour is an adopted server, its pod bears none of our labels. */
  async #found(route: Route): Promise<Route> {
    const adopted = (await this.#adoption.of('blue')) ?? (await this.#adoption.of('green'));
    const own =
      adopted && (await this.#cluster.read('StatefulSet', objectNames.colour(this.#environment.name, adopted.colour)));
    return adopted && !own ? { ...route, selectors: { [adopted.colour]: adoptedSelector(adopted) } } : route;
  }

  /**
   * Services that clients of an adopted server used before: they follow the live colour, also once that server has been
   * let go.
   */
  async #alias(route: Route): Promise<void> {
    const following = await this.#cluster.list('Service', { [followsLabel]: this.#environment.name });
    await Promise.all(
      following.map(({ metadata: { name } }) =>
        this.lead(name, selectorOf(this.#environment, route, route.live), 5432),
      ),
    );
  }

  /** From now on this Service of somebody else's leads to the live colour, or to the poolers. */
  async attach({ name, to }: { readonly name: string; readonly to: 'live' | 'pooler' }, route: Route): Promise<void> {
    if (to === 'pooler') return this.lead(name, selectorLabels(this.#environment, 'pooler'), 6432);
    await this.#cluster.merge('Service', name, { metadata: { labels: { [followsLabel]: this.#environment.name } } });
    await this.#alias(await this.#found(route));
  }

  /** Points a Service of somebody else's at other pods. One that is gone is nobody's way any more. */
  async lead(name: string, selector: Readonly<Record<string, string>>, targetPort: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const found = await this.#cluster.read<ServiceObject>('Service', name);
      if (!found) return;
      try {
        await this.#cluster.replace({
          ...found,
          spec: { ...found.spec, selector, ports: found.spec.ports?.map((port) => ({ ...port, targetPort })) },
        } as Stored);
        return;
      } catch (error) {
        if (!(error instanceof VerdigrisError) || error.id !== 'object-conflict' || attempt >= 5) throw error;
      }
    }
  }

  #moving(route: Route): Manifest[] {
    if (!this.#environment.kubernetes.istio)
      refuseWeights(
        route.canary,
        "kubernetes.istio is off, and a Service's selector knows no weights.",
        'declare kubernetes.istio: true where the poolers have sidecars',
      );
    return [
      ...clientServices(this.#environment, route),
      ...(this.#environment.kubernetes.istio ? istioRoutes(this.#environment, route) : []),
    ];
  }

  async #swap(manifest: Manifest, token: number): Promise<void> {
    const {
      kind,
      metadata: { name, annotations, labels },
    } = manifest;
    const key = `${kind} ${name}`;
    for (let attempt = 1; ; attempt++) {
      const found = this.#known.get(key) ?? (await this.#cluster.read<RouteObject>(kind, name));
      if (!found) {
        if (await this.#cluster.create(manifest)) return;
        continue;
      }
      refuseNewer(found.metadata.annotations, token, `${kind} ${name}`);
      const spec = manifest['spec'] as RouteObject['spec'];
      try {
        this.#known.set(
          key,
          await this.#cluster.replace<RouteObject>({
            ...found,
            metadata: {
              ...found.metadata,
              labels: { ...found.metadata.labels, ...labels },
              annotations: { ...found.metadata.annotations, ...annotations },
            },
            // What the API server gave a Service is its own: addresses, families.
            spec: kind === 'Service' ? { ...found.spec, selector: spec['selector'] } : spec,
          } as Stored),
        );
        return;
      } catch (error) {
        this.#known.delete(key);
        if (
          !(error instanceof VerdigrisError) ||
          !['object-conflict', 'object-missing'].includes(error.id) ||
          attempt >= 5
        )
          throw error;
      }
    }
  }
}

function routeOf({ metadata: { annotations = {} } }: Stored): Route {
  return {
    live: annotations[`${domain}/live`] as Colour,
    canary: Number(annotations[`${domain}/canary`] ?? 0),
    token: writtenToken(annotations),
  };
}
