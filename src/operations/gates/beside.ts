import type { Colour } from '../../model/colours.ts';
import { connectionIn } from '../../platform/connection-in.ts';
import { rows, type Client } from '../../postgres/client.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { diffSchema, readSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { maintenance } from '../../postgres/maintenance.ts';
import { withLooker } from '../../postgres/readers.ts';
import { readBeside, readClosed, readWhole, type Beside } from '../../postgres/seal/beside.ts';
import type { Context } from '../engine/context.ts';
import { partOf } from '../engine/part.ts';
import { storeObjects } from './schema.ts';

/** Databases that are looked at otherwise, or by declaration not at all. */
export function knownDatabases(c: Context): string[] {
  return [maintenance, ...c.environment.ignoreDatabases, ...c.whole.each.map((each) => each.environment.database)];
}

/** Keeps in a colour's own database which others nobody may connect to, and who made them so. */
export async function keepClosed(c: Context, colour: Colour): Promise<void> {
  if (c.isInside || partOf(c)) return;
  await c.on(colour, async (client) => storeObjects(client, ['closed database'], await readClosed(client)));
}

/**
 * Names of templates and closed databases that the other colour has as they are here, with all that they hold: a copy of
 * the volume brought them, and nobody wrote there since. Before there is a copy, of those that it will bring.
 */
export async function copiedDatabases(c: Context): Promise<string[]> {
  if (partOf(c) || c.platform.servers.seeding(c.live, c.idle) === 'logical') return [];
  const here = await c.on(c.live, (client) => readBeside(client, knownDatabases(c)));
  if (here.length === 0) return [];
  if (!(await c.platform.servers.observe(c.idle))?.running)
    // pg_upgrade takes no database along that it cannot connect to.
    return here.filter(({ connectable }) => connectable || !upgrades(c)).map(({ name }) => name);
  const there = await c.on(c.idle, (client) => readBeside(client, knownDatabases(c)));
  const copied: string[] = [];
  for (const each of here) {
    const other = there.find(({ name }) => name === each.name);
    if (other?.outside === each.outside && (await isUnwritten(c, each))) copied.push(each.name);
  }
  return copied;
}

/** Databases that every server is born with. What they hold came with the copy; what is changed since does not follow. */
const born = ['template1', maintenance];

/** Objects of these that the two colours do not have alike; said, as no rows of a release are there. */
export async function bornFindings(c: Context): Promise<Finding[]> {
  if (c.isInside || partOf(c) || upgrades(c)) return [];
  if (c.platform.servers.seeding(c.live, c.idle) === 'logical') return [];
  const { database, ignoreDatabases } = c.environment;
  const objects: string[] = [];
  for (const name of born.filter((each) => each !== database && !ignoreDatabases.includes(each))) {
    const [there, here] = await Promise.all([c.idle, c.live].map((colour) => objectsOf(c, colour, name)));
    if (there && here)
      objects.push(...diffSchema(there, here).map(({ kind, identity }) => `${name}: ${kind} ${identity}`));
  }
  if (objects.length === 0) return [];
  return [
    finding('beside-differs', {
      objects,
      reason: `They are as they were when ${c.idle} was copied: CREATE DATABASE copies template1, and tools log in to ${maintenance}.`,
      fix: `Make the same change on ${c.idle}, by psql as verdigris_operator, if it is needed there.`,
    }),
  ];
}

/** Undefined where it lets nobody in. */
async function objectsOf(c: Context, colour: Colour, database: string): Promise<SchemaObject[] | undefined> {
  const at = await connectionIn(c.platform.servers, colour, database);
  return withLooker(at, 'preflight', readSchema).catch(() => undefined);
}

function upgrades({ environment: { colours }, live, idle }: Context): boolean {
  return colours[live]?.postgres !== colours[idle]?.postgres;
}

async function isUnwritten(c: Context, { name, connectable, small }: Beside): Promise<boolean> {
  if (!connectable) {
    const [before, now] = await c.on(c.live, async (client) => [
      await keptClosed(client, name),
      await readClosed(client),
    ]);
    return before !== undefined && now.find(({ identity }) => identity === name)?.definition === before;
  }
  if (!small) return false;
  const [here, there] = await Promise.all([c.live, c.idle].map((colour) => contentOf(c, colour, name)));
  return here !== undefined && here === there;
}

async function keptClosed(client: Client, name: string): Promise<string | undefined> {
  const kept = await rows<Pick<SchemaObject, 'definition'>>(
    client,
    "SELECT definition FROM verdigris.schema_object WHERE kind = 'closed database' AND identity = $1",
    [name],
  );
  return kept[0]?.definition;
}

/** Undefined where it does not let Verdigris in: what it holds is then not known. */
async function contentOf(c: Context, colour: Colour, database: string): Promise<string | undefined> {
  const at = await connectionIn(c.platform.servers, colour, database);
  return withLooker(at, 'preflight', readWhole).catch(() => undefined);
}
