import { colours } from './colours.ts';
import type { DeclarationIssue } from './declaration-issues.ts';
import { asObject } from './raw.ts';
import { kindsOf, unfit } from './server-kinds.ts';
import { unfitService } from './unfit-service.ts';
import { unfitTraffic } from './unfit-traffic.ts';

/** One of what is chosen apart, and where it is declared; `colour` is that of a server. */
interface Part {
  readonly part: 'server' | 'traffic' | 'journal';
  readonly path: string;
  readonly kind: unknown;
  /** The keys besides `kind`. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly colour?: Readonly<Record<string, unknown>>;
}

/** What may be said of a kind besides its name; a journal in PostgreSQL has its schema's keys. */
const ownKeys: Readonly<Record<string, readonly string[]>> = {
  local: ['host'],
  external: ['host', 'port', 'user', 'password', 'sslmode', 'ca', 'subscriberCa', 'standbys'],
  cnpg: ['cluster', 'namespace', 'context', 'canaryReads'],
  service: ['name', 'namespace', 'context', 'serviceEntry'],
  routers: ['address', 'trustFor', 'holdFor'],
  pgbouncer: ['pgbouncers', 'user', 'password', 'databases', 'address'],
  command: ['command', 'limit', 'address'],
};

/** Servers, traffic and journal are chosen apart, and not every one goes with every other. */
export function unfitKinds(top: Record<string, unknown>): DeclarationIssue[] {
  const platform = top['platform'];
  if (platform !== 'local' && platform !== 'kubernetes') return [];
  const parts = partsOf(top);
  return [...parts.flatMap((part) => unfitPart(platform, part)), ...unfitTogether(top, parts)];
}

function partsOf(top: Record<string, unknown>): Part[] {
  const declared = asObject(top['colours']);
  const servers = colours.map((name): Part => {
    const { kind, ...given } = asObject(asObject(declared[name])['server']);
    const colour = declared[name] === undefined ? {} : { colour: asObject(declared[name]) };
    return { part: 'server', path: `colours.${name}.server`, kind, given, ...colour };
  });
  const others = (['traffic', 'journal'] as const).map((part): Part => {
    const { kind, ...given } = asObject(top[part]);
    return { part, path: part, kind, given };
  });
  return [...servers, ...others];
}

function unfitPart(platform: 'local' | 'kubernetes', { part, path, kind, given, colour }: Part): DeclarationIssue[] {
  const known: readonly string[] = kindsOf[platform][part];
  const issues: DeclarationIssue[] = [];
  const at = (key: string, message: string) => issues.push({ path: `${path}.${key}`, message });
  if (typeof kind === 'string' && !known.includes(kind)) at('kind', unfit(platform, part, kind));
  const major = colour?.['postgres'];
  if (kind !== 'external' && typeof major === 'number' && major >= 12 && major < 15)
    issues.push({
      path: path.replace(/server$/, 'postgres'),
      message: 'is below 15, the oldest that Verdigris runs: only the live server may be, where others run it',
    });
  if (kind === 'external' && given['host'] === undefined) at('host', 'is required of an external server');
  if (kind === 'cnpg' && given['cluster'] === undefined) at('cluster', 'is required of a Cluster of CloudNativePG');
  if (kind === 'postgres') {
    for (const key of ['host', 'database', 'user'])
      if (given[key] === undefined) at(key, 'is required of a journal in PostgreSQL');
    if (asObject(given['password'])['env'] !== undefined)
      at(
        'password.env',
        'is a variable, and recoveries that nobody calls have none of yours: declare a file or a command',
      );
  } else if (typeof kind === 'string')
    for (const key of Object.keys(given))
      if (!(ownKeys[kind] ?? []).includes(key)) at(key, `does not belong to ${kind}`);
  return issues;
}

/** Of seeds whose copy others make. */
function unfitSeed(top: Record<string, unknown>, servers: readonly Part[]): DeclarationIssue[] {
  const { method, ...seed } = asObject(top['seed']);
  const without = { standby: 'promotes a standby', prepared: 'takes a copy' }[String(method)];
  const kinds = servers
    .filter(({ kind, colour }) => without !== undefined && colour && kind !== 'external')
    .map(({ path }) => ({
      path: `${path}.kind`,
      message: `is not external, and seed.method ${String(method)} ${without ?? ''} that others run of a server that others run`,
    }));
  if (method === 'prepared')
    return [
      ...kinds,
      ...(seed['command'] === undefined
        ? [{ path: 'seed.command', message: 'is required of seed.method prepared: it makes the copy' }]
        : []),
    ];
  if (seed['command'] === undefined) return kinds;
  return [...kinds, { path: 'seed.command', message: 'belongs to seed.method prepared alone' }];
}

/** Where readers go while a canary is under way, of what has none. */
function uncanaried(top: Record<string, unknown>, servers: readonly Part[]): DeclarationIssue[] {
  const kind = String(asObject(top['traffic'])['kind']);
  if (!['service', 'pgbouncer', 'command'].includes(kind)) return [];
  const message = `is of no use with traffic.kind ${kind}, which has no canary: leave it out, or let clients come by the router`;
  return servers.flatMap(({ path, given }) =>
    ['canaryReads', 'standbys']
      .filter((key) => given[key] !== undefined)
      .map((key) => ({ path: `${path}.${key}`, message })),
  );
}

/** What each allows by itself, and not beside the others. */
function unfitTogether(top: Record<string, unknown>, parts: readonly Part[]): DeclarationIssue[] {
  const issues: DeclarationIssue[] = [];
  const servers = parts.filter(({ part }) => part === 'server');
  issues.push(...unfitService(top, servers));
  issues.push(...unfitTraffic(top, servers));
  issues.push(...unfitSeed(top, servers));
  issues.push(...uncanaried(top, servers));
  const foreign = servers.filter(({ kind }) => kind === 'external' || kind === 'cnpg');
  if (foreign.length > 0 && asObject(top['retention'])['mode'] === 'scaled-down')
    issues.push({
      path: 'retention.mode',
      message: 'is scaled-down, and an external server is never stopped by Verdigris',
    });
  const encrypted = foreign.some(({ given }) => given['sslmode'] !== 'disable');
  if (encrypted && asObject(top['local'])['tls'] !== undefined)
    issues.push({
      path: 'local.tls',
      message:
        'goes with no external server that is reached by TLS: a password exchange that is bound to the one channel is ' +
        'refused on the other',
    });
  return issues;
}
