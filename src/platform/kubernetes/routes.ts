import { clientServices, istioDestinations, istioRoutes, type Route } from '../../components/manifests/traffic.ts';
import { domain, objectNames } from '../../components/manifests/names.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Manifest } from '../../components/manifests/manifest.ts';
import type { Cluster, Stored } from './cluster.ts';

interface ServiceObject extends Stored {
  readonly spec: { readonly selector: Record<string, string>; readonly clusterIP?: string };
}

interface RouteObject extends Stored {
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The client-facing Services and, with Istio, the routes. Nobody else writes them. */
export class Routes {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  /** As last read or written, so that a move is one request an object; one that was changed since conflicts and is read again. */
  readonly #known = new Map<string, RouteObject>();

  constructor(environment: Environment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
  }

  /** Makes what is missing, pointing as `route` says. What is there already keeps where it points. */
  async establish(route: Route): Promise<void> {
    const fixed = this.#environment.kubernetes.istio ? istioDestinations(this.#environment) : [];
    for (const manifest of fixed) await this.#cluster.apply(manifest);
    for (const manifest of this.#moving(route)) await this.#cluster.create(manifest);
  }

  async remove(): Promise<void> {
    const { name, kubernetes: { istio } } = this.#environment;
    for (const each of [objectNames.writes(name), objectNames.reads(name)]) {
      await this.#cluster.delete('Service', each);
      if (istio) await this.#cluster.delete('VirtualService', each);
    }
    if (!istio) return;
    await this.#cluster.delete('DestinationRule', objectNames.both(name));
    await this.#cluster.delete('Service', objectNames.both(name));
  }

  /** Where writes go now, by the object that decides it. */
  async current(): Promise<(Route & { readonly clusterIP: string | undefined; readonly selector: string | undefined }) | undefined> {
    const found = await this.#cluster.read<ServiceObject>('Service', objectNames.writes(this.#environment.name));
    if (!found) return undefined;
    const { live, canary, token } = routeOf(found);
    return { live, canary, token, clusterIP: found.spec.clusterIP, selector: found.spec.selector[`${domain}/colour`] };
  }

  /** Reads beforehand what `move` will write, over connections that stay open for it. */
  async foresee(): Promise<void> {
    await Promise.all(this.#moving({ live: 'blue', canary: 0, token: 0 }).map(async ({ kind, metadata: { name } }) => {
      const found = await this.#cluster.read<RouteObject>(kind, name);
      if (found) this.#known.set(`${kind} ${name}`, found);
    }));
  }

  /** All at once, each a compare-and-swap under the fencing token: whoever has a smaller one changes nothing. */
  async move(route: Route): Promise<void> {
    await Promise.all(this.#moving(route).map((manifest) => this.#swap(manifest, route.token)));
  }

  #moving(route: Route): Manifest[] {
    if (route.canary > 0 && !this.#environment.kubernetes.istio) {
      throw new VerdigrisError('refused', 'canary-needs-istio', {
        seen: `A canary of ${route.canary} % is asked for, and kubernetes.istio is off.`,
        required: 'routes that know weights: a Service’s selector does not.',
        next: 'declare kubernetes.istio: true where the poolers have sidecars, or go on without a canary.',
      });
    }
    return [...clientServices(this.#environment, route), ...(this.#environment.kubernetes.istio ? istioRoutes(this.#environment, route) : [])];
  }

  async #swap(manifest: Manifest, token: number): Promise<void> {
    const { kind, metadata: { name, annotations, labels } } = manifest;
    const key = `${kind} ${name}`;
    for (let attempt = 1; ; attempt++) {
      const found = this.#known.get(key) ?? (await this.#cluster.read<RouteObject>(kind, name));
      if (!found) {
        if (await this.#cluster.create(manifest)) return;
        continue;
      }
      if (routeOf(found).token > token) throw staleToken(token, routeOf(found).token, `${kind} ${name}`);
      const spec = manifest['spec'] as RouteObject['spec'];
      try {
        this.#known.set(key, await this.#cluster.replace<RouteObject>({
          ...found,
          metadata: { ...found.metadata, labels: { ...found.metadata.labels, ...labels }, annotations: { ...found.metadata.annotations, ...annotations } },
          // What the API server gave a Service is its own: addresses, families.
          spec: kind === 'Service' ? { ...found.spec, selector: spec['selector'] } : spec,
        } as Stored));
        return;
      } catch (error) {
        this.#known.delete(key);
        if (!(error instanceof VerdigrisError) || !['object-conflict', 'object-missing'].includes(error.id) || attempt >= 5) throw error;
      }
    }
  }
}

export function staleToken(mine: number, seen: number, where: string): VerdigrisError {
  return new VerdigrisError('busy', 'stale-token', {
    seen: `This process holds token ${mine}; ${where} has seen ${seen}.`,
    required: 'the newest lease.',
    next: 'nothing: somebody else continued this work.',
  });
}

function routeOf({ metadata: { annotations = {} } }: Stored): Route {
  return { live: annotations[`${domain}/live`] as Colour, canary: Number(annotations[`${domain}/canary`] ?? 0), token: Number(annotations[`${domain}/token`] ?? 0) };
}
