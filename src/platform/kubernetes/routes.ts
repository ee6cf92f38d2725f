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

/** The client-facing Services and, with Istio, the routes. Nobody else writes them. */
export class Routes {
  readonly #environment: Environment;
  readonly #cluster: Cluster;

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

  /** All at once. The Service for writes is a compare-and-swap under the fencing token; whoever has a smaller one changes nothing. */
  async move(route: Route): Promise<void> {
    const [decisive, ...others] = this.#moving(route);
    if (!decisive) throw new Error('there is always a Service for writes');
    await this.#swap(decisive, route.token);
    await Promise.all(others.map((manifest) => this.#cluster.apply(manifest)));
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
    const { name, annotations, labels } = manifest.metadata;
    for (let attempt = 1; ; attempt++) {
      const found = await this.#cluster.read<ServiceObject>('Service', name);
      if (!found) {
        if (await this.#cluster.create(manifest)) return;
        continue;
      }
      if (routeOf(found).token > token) throw staleToken(token, routeOf(found).token, `Service ${name}`);
      const { selector } = manifest['spec'] as ServiceObject['spec'];
      try {
        await this.#cluster.replace({ ...found, metadata: { ...found.metadata, labels: { ...found.metadata.labels, ...labels }, annotations: { ...found.metadata.annotations, ...annotations } }, spec: { ...found.spec, selector } } as Stored);
        return;
      } catch (error) {
        if (!(error instanceof VerdigrisError) || error.id !== 'object-conflict' || attempt >= 5) throw error;
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
