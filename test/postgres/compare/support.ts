import { readTables } from '../../../src/postgres/catalogue.ts';
import { one, type Client } from '../../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../../src/postgres/connection.ts';
import { withClient } from '../../../src/postgres/session.ts';
import {
  compareData,
  type CompareOptions,
  type DataComparison,
  type TableMapping,
} from '../../../src/postgres/compare/index.ts';
import { operatorRole, type Server } from '../../../src/platform/local/server.ts';
import { connectionTo, withServer } from '../../support/postgres.ts';
import { untilRow } from '../../support/until.ts';

/** All tables that both sides have, with the columns that both have. */
export async function mapAll(live: Client, candidate: Client): Promise<TableMapping[]> {
  const there = await readTables(candidate);
  return (await readTables(live)).flatMap((table) => {
    const twin = there.find(({ schema, name }) => schema === table.schema && name === table.name);
    if (!twin) return [];
    const names = new Set(twin.columns.map(({ name }) => name));
    return [
      {
        live: table,
        candidate: twin,
        columns: table.columns.map(({ name }) => name).filter((name) => names.has(name)),
      },
    ];
  });
}

export interface Sides {
  readonly live: Client;
  readonly candidate: Client;
  readonly liveAt: ConnectionSettings;
  readonly candidateAt: ConnectionSettings;
  compare(options?: Partial<CompareOptions>): Promise<DataComparison>;
}

let made = 0;

/** Two databases of one server, without replication between them: nothing is ever in flight. */
export async function withSides<T>(
  server: Server,
  use: (sides: Sides) => Promise<T>,
  candidateOptions = '',
): Promise<T> {
  const number = ++made;
  const [left, right] = [`live_${number}`, `candidate_${number}`];
  await withClient(connectionTo(server), 'test', async (client) => {
    await client.query(`CREATE DATABASE ${left}`);
    await client.query(`CREATE DATABASE ${right} ${candidateOptions}`);
  });
  return between(connectionTo(server, left), connectionTo(server, right), () => Promise.resolve(), use);
}

export async function between<T>(
  liveAt: ConnectionSettings,
  candidateAt: ConnectionSettings,
  passed: CompareOptions['passed'],
  use: (sides: Sides) => Promise<T>,
): Promise<T> {
  return withClient(liveAt, 'test', (live) =>
    withClient(candidateAt, 'test', (candidate) =>
      use({
        live,
        candidate,
        liveAt,
        candidateAt,
        compare: async (options = {}) =>
          compareData({
            live: liveAt,
            candidate: candidateAt,
            tables: await mapAll(live, candidate),
            passed,
            ...options,
          }),
      }),
    ),
  );
}

/** Two servers, the second subscribed to all of the first. `schema` is made on both before. */
export async function withReplication<T>(
  schema: string,
  use: (sides: Sides, publisher: Server) => Promise<T>,
): Promise<T> {
  return withServer((publisher) =>
    withServer(async (subscriber) => {
      const [liveAt, candidateAt] = [connectionTo(publisher), connectionTo(subscriber)];
      return between(
        liveAt,
        candidateAt,
        (lsn) => applied(liveAt, candidateAt, lsn),
        async (sides) => {
          await sides.live.query(schema);
          await sides.candidate.query(schema);
          await sides.live.query(
            'CREATE SCHEMA verdigris; CREATE TABLE verdigris.marker (id bigint PRIMARY KEY); CREATE PUBLICATION p FOR ALL TABLES',
          );
          await sides.candidate.query('CREATE SCHEMA verdigris; CREATE TABLE verdigris.marker (id bigint PRIMARY KEY)');
          await sides.candidate.query(
            `CREATE SUBSCRIPTION s CONNECTION 'host=${publisher.sockets} port=${publisher.port} user=${operatorRole} dbname=postgres' PUBLICATION p`,
          );
          await untilRow(
            sides.candidate,
            "SELECT WHERE NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r')",
          );
          return use(sides, publisher);
        },
      );
    }),
  );
}

let marker = 0;

/** A marker written after `lsn` stands on the candidate. */
async function applied(liveAt: ConnectionSettings, candidateAt: ConnectionSettings, lsn: string): Promise<void> {
  const id = ++marker;
  await withClient(liveAt, 'test', async (live) => {
    const { behind } = await one<{ behind: boolean }>(
      live,
      'SELECT pg_current_wal_insert_lsn() >= $1::pg_lsn AS behind',
      [lsn],
    );
    if (!behind) throw new Error(`${lsn} is in the future`);
    await live.query('INSERT INTO verdigris.marker VALUES ($1)', [id]);
  });
  await withClient(candidateAt, 'test', (candidate) =>
    untilRow(candidate, 'SELECT FROM verdigris.marker WHERE id = $1', [id]),
  );
}

/** What differs, short: `table kind count firstKey columns`. */
export function account(comparison: DataComparison): string[] {
  return comparison.tables.flatMap((table) =>
    table.differences.map((difference) =>
      [
        table.table,
        difference.kind,
        difference.count,
        Object.values(difference.first).join(','),
        ...(difference.examples[0]?.columns ?? []),
      ].join(' '),
    ),
  );
}
