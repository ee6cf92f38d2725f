import { colours, other, type Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { seedSnapshotName } from '../model/names.ts';
import { declaredOf, declaresLeft, plan, type Declared, type Planned } from '../model/plan.ts';
import type { State } from '../model/transitions.ts';
import { adoptedSelector, adoptedService } from './adopted.ts';
import { authoritySecret, ownCertificate } from './certificates.ts';
import { colourBudget, colourConfig, colourServer, colourService, dataPath } from './colour.ts';
import { guardManifests } from './guard.ts';
import type { Manifest } from './manifest.ts';
import { domain, objectNames, selectorLabels } from './names.ts';
import { overlaid } from './overlay.ts';
import { withoutToken } from './token.ts';
import { poolerConfig, poolerDeployment, poolerService, poolersService } from './pooler.ts';
import { poolerSecret } from './pooler-users.ts';
import { operatorSecret, readerSecret, roleSecret } from './secrets.ts';
import { volumeClaim, volumeSnapshot } from './storage.ts';
import { clientServices, istioDestinations, istioRoutes, selectorOf, type Route } from './traffic.ts';
import { upgradeJob } from './upgrade.ts';
import { livesAfter, type Life, type Standing, type Lives } from './lives.ts';

export type Manifests = Readonly<Record<string, Manifest>>;

export interface PlannedObjects {
  /** What is there once the declaration is reached, by kind and name. */
  readonly objects: Manifests;
  /** What is made on the way and removed again: snapshots, the Job of an upgrade. */
  readonly temporary: Manifests;
}

/**
 * Every object of the cluster that a release leads to, from the builders that make it, without Verdigris's own records
 * and without what a Pulumi program declares itself. Computed again from where it led to, it is the same: a second
 * update finds nothing. `before` is what was planned last: a server and a volume stay what their life was made with,
 * whatever the declaration says by now.
 */
export function plannedObjects(
  environment: Environment,
  raw: unknown,
  { standing, declared = declaredOf(environment), before = {} }: Options,
): PlannedObjects {
  const { journal, lives } = standing;
  const steps = plan(declared, journal);
  const state = steps.at(-1)?.to ?? journal.state;
  const next = livesAfter(environment, standing, steps);
  const adopted = Object.entries(next).find(([, life]) => life.adopted)?.[0] as Colour | undefined;
  const { adopt } = environment.kubernetes;
  const route: Route = {
    // Where the release that was left is still declared, its colour is not, whatever `live` says.
    live: declaresLeft(declared, journal) ? journal.live : environment.live,
    canary: state === 'canary' ? environment.canary : 0,
    token: 0,
    ...(adopt && adopted ? { selectors: { [adopted]: adoptedSelector(adopt) } } : {}),
  };
  const kept = new Set(
    colours.filter((colour) => next[colour] !== undefined && next[colour].generation === lives[colour]?.generation),
  );
  const servers = colours.flatMap((colour) => {
    const life = next[colour];
    return life ? colourObjects(environment, colour, life, state) : [];
  });
  const objects = keyed(environment, [
    ...servers,
    ...poolers(environment, raw),
    ...routes(environment, route),
    ...roles(environment),
  ]);
  const stay = colours
    .filter((colour) => kept.has(colour))
    .flatMap((colour) => ownOf(environment, colour, next[colour]));
  return {
    objects: Object.fromEntries(
      Object.entries(objects).map(([key, manifest]) =>
        stay.includes(key) ? asMade(before, key, manifest) : [key, manifest],
      ),
    ),
    temporary: keyed(environment, passing(environment, standing, steps, next)),
  };
}

interface Options {
  readonly standing: Standing;
  readonly declared?: Declared;
  readonly before?: Manifests;
}

function colourObjects(environment: Environment, colour: Colour, life: Life, state: State): Manifest[] {
  const { adopt, from, storage } = environment.kubernetes;
  const { generation, major, release } = life;
  if (life.adopted)
    return adopt ? [adoptedService(environment, { ...adopt, colour, claim: '', path: '', major, release })] : [];
  const parked = state === 'switched' && colour !== environment.live && environment.retention.mode === 'scaled-down';
  const server = { colour, generation, major, release, parked: false, replicas: parked ? 0 : 1 } as const;
  const snapshot =
    generation > 1 ? objectNames.snapshot(environment.name, seedSnapshotName(generation)) : from?.snapshot;
  return [
    colourConfig(environment, server),
    colourService(environment, colour),
    colourBudget(environment, colour),
    volumeClaim(environment, { colour, generation, storage, ...(snapshot === undefined ? {} : { snapshot }) }),
    colourServer(environment, server),
  ];
}

/** Keys of what a life is made with once: nothing applies it again before the next one. */
function ownOf({ name }: Environment, colour: Colour, life: Life | undefined): string[] {
  const own = objectNames.colour(name, colour);
  return [
    `Secret/${own}`,
    `StatefulSet/${own}`,
    `PersistentVolumeClaim/${objectNames.volume(name, colour, life?.generation ?? 0)}`,
  ];
}

/** What an earlier version made has its configuration in a ConfigMap. */
function asMade(before: Manifests, key: string, now: Manifest): [string, Manifest] {
  const earlier = key.replace(/^Secret\//, 'ConfigMap/');
  const made = key in before || !(earlier in before) ? key : earlier;
  return [made, lasting(before[made], now)];
}

/** As it was made, but for how many pods: that moves with a release. */
function lasting(before: Manifest | undefined, now: Manifest): Manifest {
  if (!before || before.kind !== 'StatefulSet') return before ?? now;
  if (before.metadata.labels?.[`${domain}/generation`] !== now.metadata.labels?.[`${domain}/generation`]) return now;
  const { replicas } = now['spec'] as { replicas: number };
  return { ...before, spec: { ...(before['spec'] as object), replicas } };
}

function poolers(environment: Environment, raw: unknown): Manifest[] {
  const { guard, manifests } = guardManifests(environment, raw);
  return [
    ...manifests.filter(({ kind }) => kind !== 'ConfigMap'),
    poolerConfig(environment),
    concealed(poolerSecret(environment, '')),
    poolerService(environment),
    poolersService(environment),
    poolerDeployment(environment, guard),
  ];
}

function routes(environment: Environment, route: Route): Manifest[] {
  const { istio, adopt, namespace } = environment.kubernetes;
  const moving = [...clientServices(environment, route), ...(istio ? istioRoutes(environment, route) : [])];
  const { service } = adopt ?? {};
  const alias: Manifest[] = service
    ? [
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: service.name, namespace },
          spec: {
            selector:
              service.to === 'pooler'
                ? selectorLabels(environment, 'pooler')
                : selectorOf(environment, route, route.live),
          },
        },
      ]
    : [];
  return [...moving.map(tokenless), ...(istio ? istioDestinations(environment) : []), ...alias];
}

function roles(environment: Environment): Manifest[] {
  const names = [...environment.roles.application, ...environment.roles.readers];
  return [
    operatorSecret(environment, { operator: '', replication: '', console: '' }),
    readerSecret(environment, { reader: '', console: '' }),
    ...certificates(environment),
    ...names.map((role) => roleSecret(environment, role, { login: role, password: '' })),
  ].map(concealed);
}

function certificates(environment: Environment): Manifest[] {
  const { tls } = environment.kubernetes;
  if (!tls || tls.secret !== undefined) return [];
  return [
    authoritySecret(environment, '', ''),
    ownCertificate(environment, { 'tls.crt': '', 'tls.key': '', 'ca.crt': '' }),
  ];
}

function passing(
  environment: Environment,
  { journal, lives }: Standing,
  steps: readonly Planned[],
  next: Lives,
): Manifest[] {
  const { name, kubernetes } = environment;
  const found: Manifest[] = [];
  const source = (colour: Colour, generation: number, major: number) =>
    ({ colour, major, claim: objectNames.volume(name, colour, generation), path: dataPath }) as const;
  const from = lives[journal.live];
  const candidate = next[other(journal.live)];
  if (from && candidate && steps.some(({ verb }) => verb === 'seed')) {
    const { generation, major: to } = candidate;
    found.push(
      volumeSnapshot(environment, source(journal.live, from.generation, from.major), seedSnapshotName(generation)),
    );
    if (to !== from.major && kubernetes.images.upgrade !== undefined)
      found.push(
        upgradeJob(environment, kubernetes.images.upgrade, {
          colour: other(journal.live),
          generation,
          from: from.major,
          to,
        }),
      );
  }
  // Every switchover takes one, whether it is planned yet or not: its class is judged from the first day.
  if (from)
    found.push(
      volumeSnapshot(
        environment,
        source(journal.live, from.generation, from.major),
        `before-switch-${journal.streams}`,
      ),
    );
  return found;
}

/** A Secret without what is secret. */
function concealed({ stringData: _, ...rest }: Manifest): Manifest {
  return rest;
}

/** The fencing token counts on with every operation, and says nothing about where clients go. */
function tokenless(manifest: Manifest): Manifest {
  const annotations = withoutToken(manifest.metadata.annotations);
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}

function keyed(environment: Environment, manifests: readonly Manifest[]): Record<string, Manifest> {
  return Object.fromEntries(
    manifests.map((manifest) => [`${manifest.kind}/${manifest.metadata.name}`, overlaid(environment, manifest)]),
  );
}
