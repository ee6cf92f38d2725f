import type { Colour } from '../../../model/colours.ts';
import type { Client } from '../../../postgres/client.ts';
import {
  describeSchemaDifference,
  diffSchema,
  type SchemaDifference,
  type SchemaObject,
} from '../../../postgres/fingerprint/index.ts';
import { maintenance } from '../../../postgres/maintenance.ts';
import { isSameCut } from '../../../postgres/part/cut.ts';
import { glanceAtPart } from '../../../postgres/part/glance.ts';
import { readPart } from '../../../postgres/part/read.ts';
import { glance, movedCatalogues, type Glance } from '../../../postgres/seal/glance.ts';
import { readObjects, readRewriters, readRewrites, readSurroundings } from '../../../postgres/seal/objects.ts';
import { unnamed } from '../../../postgres/seal/unnamed.ts';
import { senderOf } from '../../../postgres/stream/slot.ts';
import type { Context } from '../../engine/context.ts';
import { tablesAt, type View } from '../../engine/part.ts';
import { stream } from '../../engine/release-record.ts';
import { copiedDatabases, knownDatabases } from '../../gates/beside.ts';
import { strayFindings } from '../../gates/preflight.ts';

/** What one colour's catalogues and surroundings were. */
export interface Sealed {
  readonly glance: Glance;
  readonly objects: readonly SchemaObject[];
  readonly surroundings: readonly SchemaObject[];
  /** The process that sends from its slot to the other colour: while none has the slot, somebody else can move it. */
  readonly sender: number | undefined;
  /** Sessions that rewrite tables, before the fence ends them. */
  readonly rewriters: readonly string[];
}

/** The glance comes first: what changes while the rest is read is seen by the next one. */
export async function readForSeal(c: Context, colour: Colour): Promise<Sealed> {
  const part = await c.view(colour);
  return c.on(colour, async (client) => ({
    glance: part ? await glanceAtPart(client, part.cut.carried) : await glance(client),
    objects: [...(await readObjects(client)), ...(await readRewrites(client))],
    surroundings: part ? [] : await readSurroundings(client),
    sender: await senderOf(client, stream(c).name),
    rewriters: await readRewriters(client),
  }));
}

const interrupted = 'replication was interrupted, and its slot may have been moved past rows';

/** What of it is another now. */
export interface SealChanges {
  readonly colour: Colour;
  readonly named: readonly string[];
  /** In another file, and nothing else: TRUNCATE, VACUUM FULL or CLUSTER, which their rows tell apart. */
  readonly partitions: readonly SchemaDifference[];
}

export async function changesSince(c: Context, colour: Colour, before: Sealed): Promise<SealChanges> {
  return c.on(colour, async (client) => {
    const on = (changes: readonly string[], partitions: readonly SchemaDifference[] = []): SealChanges => ({
      colour,
      named: changes.map((change) => `on ${colour}: ${change}`),
      partitions,
    });
    const part = await c.view(colour);
    const sender = colour === c.live ? await senderOf(client, stream(c).name) : before.sender;
    const moved = sender === before.sender ? [] : [interrupted];
    if (part) return on([...moved, ...(await changesOfPart(c, colour, client, part, before))]);
    const now = await glance(client, before.glance);
    const around = await readSurroundings(client);
    const lost = around
      .filter(({ kind }) => colour === c.live && (kind === 'prepared transaction' || kind === 'large object'))
      .map(surroundingName);
    lost.push(...moved);
    const differences = diffSchema(before.surroundings, around);
    const known = knownDatabases(c);
    const written = differences.filter(({ kind }) => kind === 'written in' && colour === c.live);
    if (written.some(({ identity }) => identity === maintenance))
      lost.push(...(await strayFindings(c)).flatMap((finding) => finding.objects));
    const others = written.filter(({ identity }) => !known.includes(identity));
    const copied = others.length === 0 ? [] : await copiedDatabases(c);
    lost.push(...others.filter(({ identity }) => !copied.includes(identity)).map(describeSchemaDifference));
    const opened = differences.filter(
      ({ kind, change, identity }) =>
        (kind === 'database' && (change === 'added' || colour === c.live) && !known.includes(identity)) ||
        (kind === 'logical slot' && change === 'added' && colour === c.live) ||
        ((kind === 'rows of' || kind === 'settings in') && change === 'changed' && colour === c.live),
    );
    const catalogues = movedCatalogues(before.glance, now);
    if (catalogues.length === 0) return on([...lost, ...opened.map(describeSchemaDifference)]);
    const objects = [...(await readObjects(client)), ...(await readRewrites(client))];
    const changed = [...diffSchema(before.objects, objects), ...opened];
    if (changed.length === 0) return on([...lost, ...(await unnamed(client, before.glance, now, catalogues))]);
    const filed = changed.filter(({ kind, change }) => kind === 'partition' && change === 'changed');
    const rest = changed.filter((each) => !filed.includes(each));
    return on([...lost, ...rest.map(describeSchemaDifference)], filed);
  });
}

/** Behind the fence nobody changes these tables any more; what was changed before it is found here. */
async function changesOfPart(
  c: Context,
  colour: Colour,
  client: Client,
  { cut: seen }: View,
  before: Sealed,
): Promise<string[]> {
  if (movedCatalogues(before.glance, await glanceAtPart(client, seen.carried)).length === 0) return [];
  const objects = [...(await readObjects(client)), ...(await readRewrites(client))];
  const named = diffSchema(before.objects, objects).map(describeSchemaDifference);
  if (named.length > 0) return named;
  const { cut } = await readPart(client, tablesAt(c, colour) ?? []);
  return isSameCut(seen, cut) && cut.torn.length === 0 ? [] : ['what hangs on the tables that move'];
}

export function surroundingName({ kind, identity, definition }: SchemaObject): string {
  return `${kind} ${identity}${definition === '' ? '' : ` ${definition}`}`;
}
