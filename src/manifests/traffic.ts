import { colours, other, type Colour } from '../model/colours.ts';
import type { Manifest } from './manifest.ts';
import { colourSelector, domain, metadata, objectNames, selectorLabels, type Named } from './names.ts';
import { tokenAnnotation } from './token.ts';

/** Where clients go. `token` is the fencing token of whoever decided it. */
export interface Route {
  readonly live: Colour;
  /** Per cent of readers, of those whose path knows weights, that go to the other colour. */
  readonly canary: number;
  readonly token: number;
  /** By which the pods of a colour are found, where it is not by our labels. */
  readonly selectors?: Readonly<Partial<Record<Colour, Readonly<Record<string, string>>>>>;
}

const port = [{ name: 'tcp-postgresql', port: 5432, targetPort: 5432, protocol: 'TCP' }];

function service(
  environment: Named,
  name: string,
  selector: Record<string, string>,
  annotations: Record<string, string>,
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(environment, 'traffic', name, {}, annotations),
    spec: { type: 'ClusterIP', selector, ports: port },
  };
}

export function routeAnnotations({ live, canary, token }: Route): Record<string, string> {
  return {
    [`${domain}/live`]: live,
    [`${domain}/canary`]: String(canary),
    ...tokenAnnotation(token),
  };
}

/** Labels of the pod that is a colour's server. */
export function selectorOf(
  environment: Named,
  { selectors }: Pick<Route, 'selectors'>,
  colour: Colour,
): Record<string, string> {
  return { ...(selectors?.[colour] ?? colourSelector(environment, colour)) };
}

/** The Services that clients use. A selector knows no weights, so clients without a sidecar read where they write. */
export function clientServices(environment: Named, route: Route): Manifest[] {
  const { name } = environment;
  return [objectNames.writes(name), objectNames.reads(name)].map((each) =>
    service(environment, each, selectorOf(environment, route, route.live), routeAnnotations(route)),
  );
}

/** Istio's routes to subsets of one Service that has both colours. Writes are 100 or 0, never weighted. */
export function istioRoutes(environment: Named, route: Route): Manifest[] {
  const {
    name,
    kubernetes: { namespace },
  } = environment;
  const both = `${objectNames.both(name)}.${namespace}.svc.cluster.local`;
  const virtual = (each: string, weights: Record<Colour, number>): Manifest => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: metadata(environment, 'traffic', each, {}, routeAnnotations(route)),
    spec: {
      hosts: [`${each}.${namespace}.svc.cluster.local`],
      tcp: [
        {
          match: [{ port: 5432 }],
          route: colours
            .filter((colour) => weights[colour] > 0)
            .map((colour) => ({
              destination: { host: both, subset: colour, port: { number: 5432 } },
              weight: weights[colour],
            })),
        },
      ],
    },
  });
  const only = (colour: Colour): Record<Colour, number> => ({
    blue: colour === 'blue' ? 100 : 0,
    green: colour === 'green' ? 100 : 0,
  });
  const share = { [route.live]: 100 - route.canary, [other(route.live)]: route.canary } as Record<Colour, number>;
  return [virtual(objectNames.writes(name), only(route.live)), virtual(objectNames.reads(name), share)];
}

/** What the routes point to; does not change with the live colour. */
export function istioDestinations(environment: Named): Manifest[] {
  const {
    name,
    kubernetes: { namespace },
  } = environment;
  const both = objectNames.both(name);
  return [
    service(environment, both, selectorLabels(environment, 'database'), {}),
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: metadata(environment, 'traffic', both),
      spec: {
        host: `${both}.${namespace}.svc.cluster.local`,
        subsets: colours.map((colour) => ({
          name: colour,
          labels: { [`${domain}/colour`]: colour },
        })),
      },
    },
  ];
}
