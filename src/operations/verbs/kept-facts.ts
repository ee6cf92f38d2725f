import type { Colour } from '../../model/colours.ts';
import { rows, type Client } from '../../postgres/client.ts';
import {
  diffSchema,
  type SchemaDifference,
  type SchemaKind,
  type SchemaObject,
} from '../../postgres/fingerprint/index.ts';
import { populatedViews, refreshMaterializedViews } from '../../postgres/materialized-views.ts';
import { readRefreshes } from '../../postgres/seal/objects.ts';
import { carrySystemSettings, readSystemSettings } from '../../postgres/system-settings.ts';
import type { Context } from '../engine/context.ts';
import { storeObjects } from '../gates/schema.ts';

/**
 * What is too dear to read or to carry under the fence, and is carried beforehand alone, where it changed since it was
 * kept.
 */
const kinds: readonly SchemaKind[] = ['rows of', 'server setting'];

async function read(client: Client): Promise<SchemaObject[]> {
  return [...(await readRefreshes(client)), ...(await readSystemSettings(client))];
}

/**
 * Keeps in a colour's own database when its materialized views were refreshed and what ALTER SYSTEM has set: the other
 * one has that.
 */
export async function keepFacts(c: Context, colour: Colour): Promise<void> {
  await c.on(colour, async (client) => storeObjects(client, kinds, await read(client)));
}

/** Carries what changed of it on the live colour since, and says what. */
export async function carryFacts(c: Context): Promise<string[]> {
  return c.on(c.live, async (live) => {
    const now = await read(live);
    const changes = diffSchema(await kept(live), now);
    const of = (wanted: SchemaKind) => changes.filter(({ kind }) => kind === wanted);
    const refreshed = await refreshAgain(c, of('rows of'));
    const set = await c.on(c.idle, (idle) => carrySystemSettings(live, idle, of('server setting')));
    if (changes.length > 0) await storeObjects(live, kinds, now);
    return [
      ...(refreshed > 0 ? [`${refreshed} materialized views refreshed again`] : []),
      ...(set > 0 ? [`${set} settings of the server`] : []),
    ];
  });
}

async function refreshAgain(c: Context, changes: readonly SchemaDifference[]): Promise<number> {
  if (changes.length === 0) return 0;
  const since = new Set(changes.map(({ identity }) => identity));
  return c.withTheirs(c.idle, async (client) =>
    refreshMaterializedViews(
      client,
      (await populatedViews(client)).filter(({ schema, name }) => since.has(`${schema}.${name}`)),
    ),
  );
}

function kept(client: Client): Promise<SchemaObject[]> {
  return rows<SchemaObject>(
    client,
    'SELECT kind, identity, definition FROM verdigris.schema_object WHERE kind = ANY ($1)',
    [kinds],
  );
}
