import { podNameLabel } from '../../../manifests/adopted.ts';
import { domain, objectNames } from '../../../manifests/names.ts';
import { listedPassword, userLine, userListKey } from '../../../manifests/pooler-users.ts';
import { istioDestinations, istioRoutes } from '../../../manifests/traffic.ts';
import { other, type Colour } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import type { Journal } from '../../../model/journal.ts';
import { loginsOf } from '../../../model/logins.ts';
import type { Stored } from '../cluster.ts';
import type { KubernetesParts } from '../parts.ts';
import { secretValue } from '../secrets.ts';
import type { ServerSet } from '../sets.ts';

interface RoutedService extends Stored {
  readonly spec: { readonly selector?: Record<string, string> };
}

type Shares = readonly {
  readonly route?: readonly { readonly destination?: { readonly subset?: string }; readonly weight?: number }[];
}[];
interface VirtualService extends Stored {
  readonly spec: { readonly tcp?: Shares };
}

/**
 * What somebody changed by hand: objects that the journal accounts for and that are not there or point elsewhere, in
 * words. While an operation is under way its own colour is not judged. Reads objects only.
 */
export async function drift(environment: Environment, platform: KubernetesParts, journal: Journal): Promise<string[]> {
  const expected =
    journal.state === 'single' || journal.operation ? [journal.live] : [journal.live, other(journal.live)];
  const found = await Promise.all([
    ...expected.map((colour) => colourDrift(environment, platform, journal, colour)),
    serviceDrift(environment, platform, journal.live),
    poolerDrift(environment, platform),
    passwordDrift(environment, platform),
    ...(environment.kubernetes.istio ? [meshDrift(environment, platform, journal)] : []),
  ]);
  return found.flat();
}

/** A colour's claims, the newest first. */
export async function claimsOf(
  { cluster }: KubernetesParts,
  environment: Environment,
  colour: Colour,
): Promise<Stored[]> {
  const found = await cluster.list<Stored>('PersistentVolumeClaim', {
    'app.kubernetes.io/instance': environment.name,
    'app.kubernetes.io/managed-by': 'verdigris',
    [`${domain}/colour`]: colour,
  });
  return found.toSorted((a, b) => generationOf(b) - generationOf(a));
}

export function generationOf({ metadata }: Stored): number {
  return Number(metadata.labels?.[`${domain}/generation`] ?? 0);
}

async function colourDrift(
  environment: Environment,
  platform: KubernetesParts,
  journal: Journal,
  colour: Colour,
): Promise<string[]> {
  // How an adopted server is run is its owner's business, as long as it is there.
  if ((await platform.adoption.of(colour)) && (await platform.servers.observe(colour))) return [];
  const name = objectNames.colour(environment.name, colour);
  const [set, claims] = await Promise.all([
    platform.cluster.read<ServerSet>('StatefulSet', name),
    claimsOf(platform, environment, colour),
  ]);
  const going = claims
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(
      ({ metadata }) =>
        `PersistentVolumeClaim ${metadata.name} is being deleted: the data of ${colour} goes with its pod`,
    );
  if (set && set.metadata.deletionTimestamp === undefined) {
    const unmounted =
      (await platform.servers.claimOf(colour)) === undefined
        ? [`the PersistentVolumeClaim of ${colour} is missing`]
        : [];
    // The retained colour may be scaled down on purpose.
    const scaled =
      colour === journal.live && set.spec.replicas !== 1
        ? [`StatefulSet ${name} is scaled to ${set.spec.replicas}`]
        : [];
    // By it the colours' replication finds the server, and so does whoever moves to it.
    const unnamed = (await platform.cluster.read('Service', name)) ? [] : [`Service ${name} is missing`];
    return [...going, ...unmounted, ...scaled, ...unnamed];
  }
  return [...going, `StatefulSet ${name} is missing${claims.length > 0 ? '' : ', and its PersistentVolumeClaim'}`];
}

async function serviceDrift(
  { name }: Environment,
  { cluster, adoption }: KubernetesParts,
  live: Colour,
): Promise<string[]> {
  const adopted = await adoption.of(live);
  return (
    await Promise.all(
      [objectNames.writes(name), objectNames.reads(name)].map(async (each) => {
        const found = await cluster.read<RoutedService>('Service', each);
        if (!found) return [`Service ${each} is missing`];
        const pod = found.spec.selector?.[podNameLabel];
        const to = adopted && pod === `${adopted.statefulSet}-0` ? live : found.spec.selector?.[`${domain}/colour`];
        return to === live ? [] : [`Service ${each} points to ${to ?? 'nothing'}, not to ${live}`];
      }),
    )
  ).flat();
}

async function poolerDrift(
  { name, kubernetes: { pooler } }: Environment,
  { cluster }: KubernetesParts,
): Promise<string[]> {
  const own = objectNames.pooler(name);
  const [deployment, service] = await Promise.all([
    cluster.read<Stored & { spec: { replicas?: number } }>('Deployment', own),
    cluster.read('Service', own),
  ]);
  const { replicas = 1 } = deployment?.spec ?? {};
  return [
    ...(deployment ? [] : [`Deployment ${own} is missing`]),
    ...(deployment && replicas < pooler.replicas ? [`Deployment ${own} is scaled to ${replicas}`] : []),
    ...(service ? [] : [`Service ${own} is missing`]),
  ];
}

/**
 * Roles whose Secret says something else than what the poolers were given, or is gone. Of one that they do not know yet
 * it is for an update to make.
 */
async function passwordDrift({ name, roles }: Environment, { cluster }: KubernetesParts): Promise<string[]> {
  const users = await secretValue(cluster, objectNames.pooler(name), userListKey).catch(() => undefined);
  if (users === undefined) return [];
  const known = users.split('\n');
  const found = await Promise.all(
    [...roles.application, ...roles.readers].map(async (role) => {
      const secret = objectNames.roleSecret(name, role);
      const [login, password] = await Promise.all(
        ['username', 'password'].map((key) => secretValue(cluster, secret, key).catch(() => undefined)),
      );
      if (password === undefined)
        return loginsOf(role).some((each) => listedPassword(users, each) !== undefined)
          ? [`the Secret ${secret} is missing, or has no password`]
          : [];
      return known.includes(userLine(login ?? role, password))
        ? []
        : [`the Secret ${secret} has another password than the poolers`];
    }),
  );
  return found.flat();
}

async function meshDrift(environment: Environment, { cluster }: KubernetesParts, journal: Journal): Promise<string[]> {
  const canary = journal.state === 'canary' ? (journal.release?.canary ?? 0) : 0;
  const routes = await Promise.all(
    istioRoutes(environment, { live: journal.live, canary, token: 0 }).map(async ({ metadata: { name }, ...rest }) => {
      const found = await cluster.read<VirtualService>('VirtualService', name);
      if (!found) return [`VirtualService ${name} is missing`];
      const [is, should] = [shares(found.spec.tcp), shares((rest['spec'] as VirtualService['spec']).tcp)];
      return is === should ? [] : [`VirtualService ${name} sends ${is}, not ${should}`];
    }),
  );
  const fixed = await Promise.all(
    istioDestinations(environment).map(async ({ kind, metadata: { name } }) =>
      (await cluster.read(kind, name)) ? [] : [`${kind} ${name} is missing`],
    ),
  );
  return [...routes, ...fixed].flat();
}

function shares(tcp: Shares = []): string {
  return (
    tcp
      .flatMap(({ route = [] }) =>
        route.map(({ destination, weight = 100 }) => `${weight} % to ${destination?.subset ?? '?'}`),
      )
      .sort()
      .join(' and ') || 'nothing'
  );
}
