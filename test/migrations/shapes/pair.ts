import { loadModule } from 'libpg-query';
import type { Finding } from '../../../src/model/finding.ts';
import type { SeenChange } from '../../../src/model/shape-changes.ts';
import { shapeChangesBetween } from '../../../src/migrations/shapes/changes.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { readSchema } from '../../../src/postgres/fingerprint/index.ts';
import { mapTables } from '../../../src/postgres/mapping.ts';
import { makeStandIns } from '../../../src/postgres/row-identity.ts';
import { publish } from '../../../src/postgres/stream/publication.ts';
import { readSubscription } from '../../../src/postgres/stream/subscription.ts';
import { connectionTo } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import type { Server } from '../../../src/platform/local/server.ts';

export interface Pair {
  readonly live: Client;
  readonly candidate: Client;
  readonly server: Server;
}

/** Two databases of one schema, the second a copy of the first to the OID, as a seed makes it. */
export async function withPair(server: Server, schema: string, use: (pair: Pair) => Promise<void>): Promise<void> {
  const at = (database?: string) => connectionTo(server, database);
  await loadModule();
  await withClient(at(), 'test', (client) => client.query('CREATE DATABASE live'));
  await withClient(at('live'), 'test', async (client) => {
    await ensureControlSchema(client);
    await client.query(schema);
  });
  await withClient(at(), 'test', (client) => client.query('CREATE DATABASE candidate TEMPLATE live'));
  await withClient(at('live'), 'test', (live) =>
    withClient(at('candidate'), 'test', (candidate) => use({ live, candidate, server })),
  );
  await withClient(at(), 'test', async (client) => {
    for (const name of ['live', 'candidate']) await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
}

export interface Judged {
  readonly changes: readonly SeenChange[];
  readonly findings: readonly Finding[];
  /** By the mapping, whatever a note says. */
  readonly refused: boolean;
}

const never = ['replica-identity-missing', 'key-column-missing', 'full-identity-with-list'];

/** Judges the candidate's schema as the gates do, as often as it is asked; the live colour's is read once. */
export async function judgeOf({ live, candidate }: Pair): Promise<() => Promise<Judged>> {
  const [tables, objects] = [await readTables(live), await readSchema(live)];
  return async () => {
    const now = await readTables(candidate);
    const forward = mapTables(tables, now, 'forward').findings;
    const reverse = mapTables(now, tables, 'reverse').findings;
    return {
      changes: shapeChangesBetween(objects, await readSchema(candidate), { forward, reverse }),
      findings: [...forward, ...reverse],
      refused: forward.some(({ grade }) => grade === 'refuse') || reverse.some(({ id }) => never.includes(id)),
    };
  };
}

/** What apply meets while `write` writes at `from`: nothing where all of it arrives. */
export async function applied(
  { server }: Pair,
  [from, to]: readonly [Client, Client],
  direction: 'forward' | 'reverse',
  write: () => Promise<void>,
): Promise<'arrived' | 'stopped'> {
  const name = `s_${direction}`;
  const [source, target] = [await readTables(from), await readTables(to)];
  if (direction === 'forward' && (await makeStandIns(source, target, to)))
    target.splice(0, target.length, ...(await readTables(to)));
  await publish(from, name, mapTables(source, target, direction).published);
  await from.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
  const database = direction === 'forward' ? 'live' : 'candidate';
  await to.query(
    `CREATE SUBSCRIPTION ${name} CONNECTION 'host=${server.sockets} port=${server.port} dbname=${database} user=verdigris_operator'
     PUBLICATION ${name} WITH (copy_data = false, create_slot = false)`,
  );
  await write();
  const [{ lsn } = { lsn: '' }] = await rows<{ lsn: string }>(from, 'SELECT pg_current_wal_lsn()::text AS lsn');
  const outcome = await until('the rows arrive, or apply stops', async () => {
    if (((await readSubscription(to, name))?.errors ?? 0) > 0) return 'stopped';
    const passed = await rows(
      from,
      'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn >= $2::pg_lsn',
      [name, lsn],
    );
    return passed.length > 0 ? 'arrived' : undefined;
  });
  await to.query(`ALTER SUBSCRIPTION ${name} DISABLE; ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`);
  await to.query(`DROP SUBSCRIPTION ${name}`);
  await until('the slot is dropped', () =>
    from.query('SELECT pg_drop_replication_slot($1)', [name]).then(
      () => true,
      () => undefined,
    ),
  );
  await from.query(`DROP PUBLICATION ${name}`);
  return outcome;
}
