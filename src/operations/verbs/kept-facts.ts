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
import { partOf } from '../engine/part.ts';
import { storeObjects } from '../gates/schema.ts';

/**
 * What is too dear to read or to carry under the fence, and is carried beforehand alone, where it changed since it was
 * kept.
 */
const kinds: readonly SchemaKind[] = ['rows of', 'server setting'];

async function read(client: Client, wanted: readonly SchemaKind[] = kinds): Promise<SchemaObject[]> {
  return [
    ...(wanted.includes('rows of') ? await readRefreshes(client) : []),
    ...(wanted.includes('server setting') ? await readSystemSettings(client) : []),
  ];
}

/**
 * Keeps in a colour's own database when its materialized views were refreshed and what ALTER SYSTEM has set: the other
 * one has that.
 */
export async function keepFacts(c: Context, colour: Colour, wanted: readonly SchemaKind[] = kinds): Promise<void> {
  await c.on(colour, async (client) => storeObjects(client, wanted, await read(client, wanted)));
}

/** Carries what changed of it on the live colour since, and says what. */
export async function carryFacts(c: Context): Promise<string[]> {
  return c.on(c.live, async (live) => {
    const now = await read(live);
    const changes = diffSchema(await kept(live), now);
    const of = (wanted: SchemaKind) => changes.filter(({ kind }) => kind === wanted);
    const refreshed = await refreshAgain(c, of('rows of'));
    // Where only a part of a database moves, the servers go on with others' work.
    const settings = partOf(c) ? [] : of('server setting');
    const set = await c.on(c.idle, (idle) => carrySystemSettings(live, idle, settings));
    const left = settings.flatMap(({ identity }) => (set.includes(identity) ? [] : [identity]));
    if (left.length > 0)
      c.emit({
        type: 'note',
        text: `set by ALTER SYSTEM on ${c.live} and not carried to ${c.idle}: ${left.join(', ')}`,
      });
    if (changes.length > 0) await storeObjects(live, kinds, now);
    return [
      ...(refreshed > 0 ? [`${refreshed} materialized views refreshed again`] : []),
      ...(set.length > 0 ? [`settings of the server: ${set.join(', ')}`] : []),
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
