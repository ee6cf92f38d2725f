import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { allDatabases, furtherDatabases } from '../../model/further-databases.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { indented } from '../../model/indented.ts';
import { operatorRole } from '../../model/names.ts';
import { one, rows, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { tryCapabilities, type Capability } from '../../postgres/capabilities/try.ts';
import { makeLike, type Locale } from '../../postgres/create-like.ts';
import { makeOperator } from '../../postgres/own-logins.ts';
import { ident } from '../../postgres/quote.ts';
import { otherEnvironments } from './other-environments.ts';
import { requireOwnProcess, requireServer } from './pooler.ts';

interface Facts {
  readonly major: number;
  readonly recovering: boolean;
  readonly superuser: boolean;
  readonly walLevel: string;
  readonly slots: number;
  readonly slotLimit: number;
  readonly senders: number;
  /** Processes that could still apply: one of all is the launcher of the others. */
  readonly appliers: number;
}

/**
 * Makes Verdigris's own role on a server that others run, and its schema in the database, once nothing speaks against
 * that. `given` is who the declaration names; `own` whom Verdigris is from then on. Where no superuser can be had both
 * are the role that somebody made for Verdigris, and what it may do is found by trying. Safe to run again.
 * `like`: as the live colour's database is, where there is none yet.
 * @throws VerdigrisError `external-refused` with all that was found; `wrong-password`; `external-pooler`; `candidate-locale`
 */
export async function takeOver(
  environment: Environment,
  colour: Colour,
  given: ConnectionSettings,
  own: ConnectionSettings,
  like?: Locale,
): Promise<{ readonly major: number }> {
  await requireServer(given);
  return withOwnSession({ ...given, database: await entrance(given) }, 'adopt', async (client) => {
    await requireOwnProcess(client, given);
    const facts = await read(client);
    const taken = await otherEnvironments(client, given, allDatabases(environment));
    const problems = [
      ...faults(facts, environment, colour, given.user),
      ...(like ? noApplier(facts, allDatabases(environment).length) : []),
      ...taken.map(
        (database) =>
          `its database ${database} belongs to another environment of Verdigris, whose releases would close this one's ` +
          'clients, and the other way round: one server for each, or destroy that environment first.',
      ),
    ];
    if (problems.length > 0) throw refused(given, problems);
    if (given.user !== operatorRole) await makeOperator(client, own.password ?? '');
    const there = await rows(client, 'SELECT FROM pg_database WHERE datname = $1', [environment.database]);
    const lost = environment.live === colour ? await missingOf(client, allDatabases(environment)) : [];
    if (lost.length > 0)
      throw refused(
        given,
        lost.map((name) => `the database ${name} is not there: name the one that is live.`),
      );
    const missing = there.length === 0;
    if (missing && like) await makeLike(client, environment.database, like);
    else if (missing) await client.query(`CREATE DATABASE ${ident(environment.database)} TEMPLATE template0`);
    const inside = { ...own, database: environment.database };
    const lacks = facts.superuser ? [] : await lackedIn(own, await presentOf(client, allDatabases(environment)));
    if (lacks.length > 0) {
      if (missing) await client.query(`DROP DATABASE ${ident(environment.database)}`);
      throw refused(
        given,
        lacks.map(({ database, ability, why, grant }) => {
          const hopeless = grant.length > 0 ? '' : '; no grant gives it, so name a superuser';
          return `${operatorRole} may not ${ability}${several(environment, database)}: ${why ?? ''}${hopeless}.`;
        }),
        [...new Set(lacks.flatMap(({ grant }) => grant))],
      );
    }
    await withOwnSession(inside, 'adopt', ensureControlSchema);
    return { major: facts.major };
  });
}

async function missingOf(client: Client, databases: readonly string[]): Promise<string[]> {
  const there = await presentOf(client, databases);
  return databases.filter((name) => !there.includes(name));
}

async function presentOf(client: Client, databases: readonly string[]): Promise<string[]> {
  const there = await rows<{ name: string }>(client, 'SELECT datname AS name FROM pg_database');
  return databases.filter((name) => there.some((each) => each.name === name));
}

/**
 * Whether a standby can be promoted to be the candidate. Verdigris's role came there with the live server's log.
 * @throws VerdigrisError `external-refused` with all that was found
 */
export async function examineStandby(
  environment: Environment,
  colour: Colour,
  own: ConnectionSettings,
): Promise<{ readonly major: number }> {
  await requireServer(own);
  return withOwnSession(own, 'adopt', async (client) => {
    await requireOwnProcess(client, own);
    const facts = await read(client);
    const problems = [
      ...faults({ ...facts, recovering: false }, environment, colour, operatorRole),
      ...(facts.superuser
        ? []
        : [`${operatorRole} is no superuser there: only one may promote it and read where its new timeline begins.`]),
    ];
    if (problems.length > 0) throw refused(own, problems);
    return { major: facts.major };
  });
}

/** What a release needs and this role may not do, by database: it may own what is in one and not what is in another. */
async function lackedIn(
  own: ConnectionSettings,
  databases: readonly string[],
): Promise<(Capability & { readonly database: string })[]> {
  const found: (Capability & { readonly database: string })[] = [];
  for (const database of databases) {
    const tried = await withOwnSession({ ...own, database }, 'adopt', tryCapabilities);
    found.push(...tried.map((capability) => ({ ...capability, database })));
  }
  return found.filter(({ can, instead }) => !can && instead === undefined);
}

function several(environment: Environment, database: string): string {
  return furtherDatabases(environment).length > 0 ? ` in ${database}` : '';
}

/** A database that is there on every server, or else the declared one: some let nobody into `postgres`. */
async function entrance(given: ConnectionSettings): Promise<string> {
  return withOwnSession({ ...given, database: 'postgres' }, 'adopt', () => Promise.resolve('postgres')).catch(
    (error: { code?: string }) => {
      // No such database, no right to connect, no line of pg_hba.conf.
      if (['3D000', '42501', '28000'].includes(error.code ?? '')) return given.database;
      throw error;
    },
  );
}

async function read(client: Client): Promise<Facts> {
  return one<Facts>(
    client,
    `SELECT current_setting('server_version_num')::int / 10000 AS major, pg_is_in_recovery() AS recovering,
      (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser, current_setting('wal_level') AS "walLevel",
      (SELECT count(*)::int FROM pg_replication_slots) AS slots, current_setting('max_replication_slots')::int AS "slotLimit",
      current_setting('max_wal_senders')::int AS senders,
      (SELECT least(current_setting('max_logical_replication_workers')::int, current_setting('max_worker_processes')::int - 1) - count(pid)
        FROM pg_stat_subscription)::int AS appliers`,
  );
}

function faults(facts: Facts, { colours }: Environment, colour: Colour, user: string): string[] {
  const declared = colours[colour]?.postgres;
  return [
    ...(facts.recovering ? ['it is a replica (pg_is_in_recovery): name the primary.'] : []),
    ...(facts.major === declared
      ? []
      : [
          `it is PostgreSQL ${facts.major}, colours.${colour}.postgres says ${String(declared)}: declare ${facts.major}.`,
        ]),
    ...(facts.superuser || user === operatorRole
      ? []
      : [
          `${user} is no superuser there: name one in colours.${colour}.server.user. Where none can be had, have ${operatorRole} ` +
            'made as docs/external.md says, and leave the user out.',
        ]),
    ...(facts.walLevel === 'logical'
      ? []
      : [`wal_level is ${facts.walLevel}: set it to logical and restart the server at a time of your choice.`]),
    ...(facts.slots < facts.slotLimit
      ? []
      : [
          `all ${facts.slotLimit} replication slots are taken: drop one that nobody needs, or raise max_replication_slots.`,
        ]),
    ...(facts.senders > 0 ? [] : ['max_wal_senders is 0: raise it.']),
  ];
}

/** Of a candidate that is to be copied into: without, all rows would be copied first, and nothing followed. */
function noApplier({ appliers }: Facts, needed: number): string[] {
  if (appliers >= needed) return [];
  return [
    `${Math.max(appliers, 0)} processes are free that could apply changes, and ${needed} needed: raise ` +
      'max_logical_replication_workers, and max_worker_processes above it, and restart that server.',
  ];
}

function askFor(grants: readonly string[]): string {
  return `have this run in the database, by whoever administers that server:\n${indented(grants)}`;
}

/** `grants`: statements for whoever administers that server. */
function refused(
  given: ConnectionSettings,
  problems: readonly string[],
  grants: readonly string[] = [],
): VerdigrisError {
  return new VerdigrisError('external-refused', {
    seen: `The server ${given.host}:${given.port} cannot be a colour as it is:\n${indented(problems)}`,
    required: 'a primary of the declared major with logical replication, and a role that may set up a release.',
    next: `${grants.length === 0 ? 'fix what is listed' : askFor(grants)}, then run the same command again; nothing was changed.`,
    facts: { problems, grants },
  });
}
