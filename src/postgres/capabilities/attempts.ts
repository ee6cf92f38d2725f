import { replicationRole, trialName as trial } from '../../model/names.ts';
import { qualified, readTables } from '../catalogue.ts';
import { one, rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';

/** Whom rights would be given to, and where. */
export interface Grantee {
  readonly role: string;
  readonly database: string;
  readonly major: number;
}

export interface Attempt {
  /** Stable, kebab-case. */
  readonly id: string;
  /** What a release does by it. */
  readonly ability: string;
  /**
   * Does it, or the part of it that the right decides; inside a transaction that is rolled back. Throws what the server
   * says.
   */
  readonly attempt: (client: Client, grantee: Grantee) => Promise<void>;
  /** What is done where it cannot be; without it a release needs the ability. */
  readonly instead?: string;
  /** Statements to ask for; none where nobody but a superuser can. */
  readonly grant: (grantee: Grantee, client: Client) => Promise<readonly string[]> | readonly string[];
}

/** The first major that has the role pg_checkpoint. */
const checkpointRole = 15;

export class Lacks extends Error {}

async function isMember(client: Client, role: string): Promise<boolean> {
  return (await one<{ is: boolean }>(client, "SELECT pg_has_role($1, 'USAGE') AS is", [role])).is;
}

async function member(client: Client, role: string): Promise<void> {
  if (!(await isMember(client, role))) throw new Lacks(`not a member of ${role}`);
}

/** ALTER SYSTEM runs in no transaction, so that it is not tried. */
async function superuser(client: Client): Promise<void> {
  const { is } = await one<{ is: boolean }>(client, "SELECT current_setting('is_superuser') = 'on' AS is");
  if (!is) throw new Lacks('ALTER SYSTEM is for superusers');
}

/** Asked of the catalogue: to plan a SELECT is to evaluate what the tables' owners put into their indexes. */
async function readsRows(client: Client): Promise<void> {
  const tables = (await readTables(client)).map(({ oid }) => oid);
  const closed = await rows<{ name: string }>(
    client,
    `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.oid = ANY ($1::oid[]) AND NOT coalesce(
      has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid), false)
    ORDER BY 1 LIMIT 5`,
    [tables],
  );
  if (closed.length > 0) throw new Lacks(`not all rows of ${closed.map(({ name }) => name).join(', ')}`);
}

const run = (sql: string) => async (client: Client) => void (await client.query(sql));

/** In the order in which a release needs them. */
export const attempts: readonly Attempt[] = [
  {
    id: 'control-schema',
    ability: "keep Verdigris's own tables in the database",
    attempt: run(`CREATE SCHEMA ${trial}`),
    grant: ({ role, database }) => [`GRANT CREATE ON DATABASE ${ident(database)} TO ${ident(role)};`],
  },
  {
    id: 'make-roles',
    ability: 'make the role that replication logs in with',
    attempt: run(`CREATE ROLE ${trial} LOGIN`),
    grant: ({ role }) => [`ALTER ROLE ${ident(role)} CREATEROLE;`],
  },
  {
    id: 'give-replication',
    ability: 'let that role replicate',
    attempt: async (client) => {
      const there = await rows(client, 'SELECT FROM pg_roles WHERE rolname = $1 AND rolreplication', [replicationRole]);
      if (there.length === 0) await client.query(`CREATE ROLE ${trial} LOGIN REPLICATION`);
    },
    // Before 16 only a superuser gives it, and he may as well make the role.
    grant: ({ role, major }) => [
      major >= 16
        ? `ALTER ROLE ${ident(role)} CREATEROLE REPLICATION;`
        : `CREATE ROLE ${ident(replicationRole)} LOGIN REPLICATION;`,
    ],
  },
  {
    id: 'make-slots',
    ability: 'make replication slots',
    attempt: async (client) => {
      await client.query('SELECT pg_create_physical_replication_slot($1, false, true)', [trial]);
      await client.query('SELECT pg_drop_replication_slot($1)', [trial]);
    },
    grant: ({ role }) => [`ALTER ROLE ${ident(role)} REPLICATION;`],
  },
  {
    id: 'publish',
    ability: 'publish every table',
    attempt: async (client) => {
      const tables = (await readTables(client)).filter(({ partitioned }) => !partitioned).map(qualified);
      await client.query(`CREATE PUBLICATION ${trial}${tables.length === 0 ? '' : ` FOR TABLE ${tables.join(', ')}`}`);
    },
    grant: async ({ role, database }, client) => [
      `GRANT CREATE ON DATABASE ${ident(database)} TO ${ident(role)};`,
      ...(await ownersOf({ role }, client)),
    ],
  },
  {
    id: 'read-rows',
    ability: 'read every row',
    attempt: readsRows,
    // Who owns a table may read it: nothing more is asked for than is needed to publish it.
    grant: ownersOf,
  },
  {
    id: 'subscribe',
    ability: 'make a subscription',
    attempt: async (client) => {
      const conninfo = 'host=127.0.0.1 dbname=none user=none password=none';
      await client.query(`CREATE SUBSCRIPTION ${trial} CONNECTION '${conninfo}' PUBLICATION ${trial}
        WITH (connect = false, slot_name = NONE)`);
    },
    grant: ({ role, database, major }) =>
      major >= 16
        ? [
            `GRANT pg_create_subscription TO ${ident(role)};`,
            `GRANT CREATE ON DATABASE ${ident(database)} TO ${ident(role)};`,
          ]
        : [],
  },
  {
    id: 'place-origins',
    ability: 'say where replication begins',
    // Else the slot is advanced, and a checkpoint keeps it there.
    attempt: async (client, { major }) => {
      if (major >= checkpointRole && (await isMember(client, 'pg_checkpoint'))) return;
      await client.query('SELECT pg_replication_origin_create($1)', [trial]);
      await client.query("SELECT pg_replication_origin_advance($1, '0/1')", [trial]);
    },
    grant: ({ role, major }) => [
      major >= checkpointRole
        ? `GRANT pg_checkpoint TO ${ident(role)};`
        : `GRANT EXECUTE ON FUNCTION pg_catalog.pg_replication_origin_create(text), pg_catalog.pg_replication_origin_advance(text, pg_lsn) TO ${ident(role)};`,
    ],
  },
  {
    id: 'see-sessions',
    ability: 'see what other sessions do',
    attempt: (client) => member(client, 'pg_read_all_stats'),
    grant: ({ role }) => [`GRANT pg_monitor TO ${ident(role)};`],
  },
  {
    id: 'end-sessions',
    ability: "end other roles' sessions",
    attempt: (client) => member(client, 'pg_signal_backend'),
    grant: ({ role }) => [`GRANT pg_signal_backend TO ${ident(role)};`],
  },
  {
    id: 'read-passwords',
    ability: 'read the hashes of passwords',
    attempt: run('SELECT rolpassword FROM pg_catalog.pg_authid LIMIT 0'),
    instead: 'passwords are not carried: they are set on the candidate by whoever knows them, before the switchover',
    // It shows pg_authid too, unless the service has taken that away.
    grant: ({ role, major }) => (major >= 14 ? [`GRANT pg_read_all_data TO ${ident(role)};`] : []),
  },
  {
    id: 'change-settings',
    ability: "change the server's settings",
    attempt: superuser,
    instead: 'settings stay as they are: they are set where the server is run (a parameter group, flags)',
    grant: () => [],
  },
  {
    id: 'lock-hba',
    ability: 'close pg_hba.conf as a second lock',
    // The right is asked before the file is opened, which no server has.
    attempt: (client) =>
      client.query(`COPY (SELECT 1) TO '/${trial}/none'`).then(
        () => undefined,
        (error: { code?: string }) => {
          if (error.code === '42501') throw error;
        },
      ),
    instead: 'the fence closes roles (NOLOGIN) or the database (CONNECT), and is proved by an attempt to get in',
    grant: () => [],
  },
  {
    id: 'silence-triggers',
    ability: 'keep triggers from firing for its own writes',
    attempt: run('SET LOCAL session_replication_role = replica'),
    instead: "rows are copied before there are triggers; Verdigris's own tables have none",
    grant: ({ role, major }) =>
      major >= 15 ? [`GRANT SET ON PARAMETER session_replication_role TO ${ident(role)};`] : [],
  },
];

async function ownersOf({ role }: Pick<Grantee, 'role'>, client: Client): Promise<string[]> {
  const found = await rows<{ owner: string }>(
    client,
    `SELECT DISTINCT pg_get_userbyid(c.relowner) AS owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'verdigris')
      AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1`,
  );
  return found.map(({ owner }) => `GRANT ${ident(owner)} TO ${ident(role)};`);
}
