import { createHash } from 'node:crypto';
import type { MigrationEngine } from '../../migrations/engine.ts';
import { chooseEngine } from '../../migrations/engines/choose.ts';
import { interruptible } from '../../migrations/interruptible.ts';
import { isEffectUnknown } from '../../migrations/engines/effect.ts';
import { qualified, readTables, type Table } from '../../postgres/catalogue.ts';
import type { Colour } from '../../model/colours.ts';
import { asLogin, type Client } from '../../postgres/client.ts';
import { readSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { mapTables, type Mapping } from '../../postgres/mapping.ts';
import type { Context } from '../engine/context.ts';
import { ownerOn, withOwner } from '../engine/owner-session.ts';
import { release } from '../engine/release-record.ts';
import { foldersNow } from '../gates/folders.ts';
import { connectionIn } from '../../platform/connection-in.ts';

/**
 * The engine that the candidate's declaration, the folder's files or the history on `asked` say; undefined where the
 * release changes no schema.
 */
export async function engineOf(c: Context, asked: Colour = c.idle): Promise<MigrationEngine | undefined> {
  const declared = c.environment.colours[release(c).candidate];
  const folder = declared?.migrations;
  return folder === undefined ? undefined : c.look(asked, (client) => chooseEngine(folder, declared?.engine, client));
}

interface ToCome {
  readonly tables: Table[];
  readonly schema: SchemaObject[];
  /** Why they are those of now, where what the migrations do cannot be known. */
  readonly unknown?: string;
}

/** Bytes of a table that costs nothing to rewrite: emptying thousands of such ones takes longer. */
const little = 1024 ** 2;

/**
 * The tables that the migrations will lead to, read inside a transaction on the candidate that is rolled back: large
 * tables are emptied in it first, so that rewrites and backfills cost nothing. Where that makes a migration fail, once
 * more with the data.
 */
async function tablesToCome(
  client: Client,
  engine: MigrationEngine,
  looking: Client,
  owner: string | undefined,
  say: (text: string) => void,
): Promise<ToCome> {
  const now = await readTables(client);
  const asIs = async (unknown: string): Promise<ToCome> => ({ tables: now, schema: await readSchema(client), unknown });
  const { rehearse } = engine;
  if (!rehearse) return asIs(`the engine ${engine.name} does not say what it runs`);
  const attempt = async (emptied: readonly Table[]): Promise<ToCome & { said: string[] }> => {
    const said: string[] = [];
    await client.query("BEGIN; SET LOCAL lock_timeout = '5s'");
    try {
      if (emptied.length > 0)
        await asLogin(client, () =>
          client.query(
            `SET LOCAL session_replication_role = replica; TRUNCATE ${emptied.map(qualified).join(', ')} CASCADE; SET LOCAL session_replication_role = origin`,
          ),
        );
      await rehearse(client, (text) => said.push(text), owner, looking);
      return { tables: await readTables(client), schema: await readSchema(client), said };
    } finally {
      await client.query('ROLLBACK');
    }
  };
  try {
    const large = now.filter(({ bytes }) => bytes > little);
    const { tables, schema, said } = await attempt(large).catch((error: unknown) => {
      if (large.length === 0 || isEffectUnknown(error)) throw error;
      return attempt([]);
    });
    for (const text of said) say(text);
    return { tables, schema };
  } catch (error) {
    if (!isEffectUnknown(error)) throw error;
    return asIs(error.seen);
  }
}

/** What the gates of an operation have tried, its steps do not try again over the same schema and files. */
const tried = new WeakMap<Context, { readonly over: string; readonly found: ToCome }>();

async function triedOnce(c: Context, say: (text: string) => void): Promise<ToCome> {
  const over = await triedOver(c);
  const before = tried.get(c);
  if (before?.over === over) return before.found;
  const found = await tryThem(c, say);
  tried.set(c, { over, found });
  return found;
}

/** Digest of the candidate as it is, and of what is to run on it. */
async function triedOver(c: Context): Promise<string> {
  const schema = await c.on(c.idle, async (client) => [await readTables(client), await readSchema(client)]);
  const parts = [schema, await foldersNow(c.environment), await pendingNames(c)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function tryThem(c: Context, say: (text: string) => void): Promise<ToCome> {
  const engine = await engineOf(c);
  const connection = await connectionIn(c.platform.servers, c.idle, c.environment.database);
  const owner = await ownerOn(c, c.idle);
  // All is tried in one transaction: where a file asks for a superuser, in his session.
  const session = (await c.look(c.idle, async (client) => engine?.superuser?.(client))) ? undefined : owner;
  return withOwner(
    c,
    c.idle,
    session,
    async (client): Promise<ToCome> => {
      if (!engine) return { tables: await readTables(client), schema: await readSchema(client) };
      return interruptible(
        { client, connection, signal: c.signal },
        'They were tried in a transaction that is rolled back: nothing is applied.',
        () => c.look(c.idle, (looking) => tablesToCome(client, engine, looking, owner, say)),
      );
    },
    { quietly: true },
  );
}

/** What the migrations will do to replication in both directions, before anything is changed. */
export async function plannedMappings(
  c: Context,
  say: (text: string) => void = () => undefined,
): Promise<{
  forward: Mapping;
  reverse: Mapping;
  tables: readonly Table[];
  schema: readonly SchemaObject[];
  unknown?: string | undefined;
}> {
  const live = await c.on(c.live, readTables);
  const { tables, schema, unknown } = await triedOnce(c, say);
  return {
    forward: mapTables(live, tables, 'forward'),
    reverse: mapTables(tables, live, 'reverse'),
    tables,
    schema,
    unknown,
  };
}

/** Names of the migrations that are yet to be applied. */
export async function pendingNames(c: Context): Promise<string[]> {
  const engine = await engineOf(c);
  return engine ? c.look(c.idle, async (client) => (await engine.pending(client)).map(({ name }) => name)) : [];
}
