import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { refusals, type Finding } from '../../model/finding.ts';
import { describeSchemaDifference, diffSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { glance, movedCatalogues, type Glance } from '../../postgres/seal/glance.ts';
import { readObjects, readRewrites, readSurroundings, rewriteKinds } from '../../postgres/seal/objects.ts';
import { unnamed } from '../../postgres/seal/unnamed.ts';
import type { Client } from '../../postgres/client.ts';
import { maintenance } from '../../postgres/maintenance.ts';
import { isSameCut } from '../../postgres/part/cut.ts';
import { glanceAtPart } from '../../postgres/part/glance.ts';
import { readPart } from '../../postgres/part/read.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { tablesAt, type View } from '../engine/part.ts';
import { strayFindings } from '../gates/preflight.ts';
import { keepRewrites, rewritten, rewrittenFindings } from '../gates/rewritten.ts';
import { writtenFindings } from '../gates/proof.ts';
import { keepFacts } from './kept-facts.ts';
import { retainedWritten } from '../gates/put-back.ts';
import { driftFindings, followedFindings } from '../gates/schema.ts';

interface Sealed {
  readonly glance: Glance;
  readonly objects: readonly SchemaObject[];
  readonly surroundings: readonly SchemaObject[];
}

/** Of the attempt under way: before the commit point a crash undoes it, and the next one looks for itself. */
const seals = new WeakMap<Context, ReadonlyMap<Colour, Sealed>>();

/** The glance comes first: what changes while the rest is read is seen by the next one. */
async function read(c: Context, colour: Colour): Promise<Sealed> {
  const part = await c.view(colour);
  return c.on(colour, async (client) => ({
    glance: part ? await glanceAtPart(client, part.cut.carried) : await glance(client),
    objects: [...(await readObjects(client)), ...(await readRewrites(client))],
    surroundings: part ? [] : await readSurroundings(client),
  }));
}

export const look: Step = {
  id: 'look',
  title: 'read both catalogues',
  why: 'what is compared under the fence is read while nobody waits; what changed since the gates ends the switchover here',
  risk: 'none',
  async run(c) {
    await c.seeAgain();
    const sealed = new Map([
      [c.live, await read(c, c.live)],
      [c.idle, await read(c, c.idle)],
    ]);
    const objects = new Map([...sealed].map(([colour, seal]) => [colour, seal.objects]));
    const found = [...(await driftFindings(c, objects)), ...(await followedFindings(c)), ...(await strayFindings(c))];
    const rewrites = (colour: Colour) => objects.get(colour)?.filter(({ kind }) => rewriteKinds.includes(kind));
    const sinceGates = rewrittenFindings(await rewritten(c, rewrites(c.live)), 'the gates', () => compareThere);
    const written = await (c.journal.state === 'switched' ? retainedWritten(c) : writtenFindings(c));
    const refused = refusals([...found, ...sinceGates, ...written]);
    if (refused.length > 0)
      throw broken(
        refused.map(({ title, objects: named }) => `${title} (${named.join(', ')})`),
        refused.map(({ fix }) => fix).join(' '),
      );
    const others = otherDatabases(c, sealed.get(c.live)?.surroundings ?? []);
    if (others.length > 0) throw broken(others, 'Run the same command again: its gates say what to do.');
    const slots = sealed.get(c.live)?.surroundings.filter(({ kind }) => kind === 'logical slot') ?? [];
    const unseen = [
      ...leftBehind(found).filter((object) => !leftBehind(c.shown).includes(object)),
      ...slots.map(nameOf).filter((name) => !consumersShown(c).some((shown) => name === `logical slot ${shown}`)),
    ];
    if (unseen.length > 0)
      throw broken(
        unseen.map((object) => `${object} would be left behind`),
        'Run the same command again: it shows what it leaves behind before it begins.',
      );
    // As they are under the seal, they are when this colour becomes the live one: the way back looks at what was
    // rewritten since.
    await keepRewrites(c, c.idle, rewrites(c.idle));
    await keepFacts(c, c.idle);
    seals.set(c, sealed);
    return `${[...objects.values()].reduce((sum, each) => sum + each.length, 0)} objects`;
  },
};

/** Made since the gates: they are in no stream, and stay behind. */
function otherDatabases(c: Context, surroundings: readonly SchemaObject[]): string[] {
  const known = [
    maintenance,
    ...c.environment.ignoreDatabases,
    ...c.whole.each.map((each) => each.environment.database),
  ];
  return surroundings.filter(({ kind, identity }) => kind === 'database' && !known.includes(identity)).map(nameOf);
}

const compareThere = 'Run the same command again: its gates look at them.';

function leftBehind(findings: readonly Finding[]): string[] {
  return findings.filter(({ id }) => id === 'left-behind').flatMap(({ objects }) => [...objects]);
}

function consumersShown(c: Context): string[] {
  const shown = c.shown.filter(({ id }) => id === 'logical-consumers').flatMap(({ objects }) => [...objects]);
  return shown.flatMap((object) => object.split(' ').slice(0, 1));
}

export const seal: Step = {
  id: 'seal',
  title: 'compare both catalogues with what was verified',
  why: 'DDL, databases and prepared transactions are not replicated, and from the fence on nobody can make any',
  risk: 'at most 20 ms at 100 tables, 100 ms at 5,000; where a catalogue moved, as long as naming it takes, within limits.switchover',
  async run(c) {
    const sealed = seals.get(c);
    if (!sealed) throw new Error('the catalogues were not read before the hold');
    const changes = await Promise.all([...sealed].map(([colour, before]) => compare(c, colour, before)));
    if (changes.flat().length > 0) throw broken(changes.flat(), 'run `verdigris status`, and the same command again.');
  },
};

async function compare(c: Context, colour: Colour, before: Sealed): Promise<string[]> {
  return c.on(colour, async (client) => {
    const on = (changes: readonly string[]) => changes.map((change) => `on ${colour}: ${change}`);
    const part = await c.view(colour);
    if (part) return on(await changesOfPart(c, colour, client, part, before));
    const now = await glance(client, before.glance);
    const around = await readSurroundings(client);
    const lost = around
      .filter(({ kind }) => colour === c.live && (kind === 'prepared transaction' || kind === 'large object'))
      .map(nameOf);
    const differences = diffSchema(before.surroundings, around);
    const written = differences.some(({ kind }) => kind === 'written in' && colour === c.live);
    if (written) lost.push(...(await strayFindings(c)).flatMap((finding) => finding.objects));
    const opened = differences.filter(
      ({ kind, change, identity }) =>
        (kind === 'database' && change === 'added' && !c.environment.ignoreDatabases.includes(identity)) ||
        (kind === 'logical slot' && change === 'added' && colour === c.live) ||
        ((kind === 'rows of' || kind === 'settings in') && change === 'changed' && colour === c.live),
    );
    const catalogues = movedCatalogues(before.glance, now);
    if (catalogues.length === 0) return on([...lost, ...opened.map(describeSchemaDifference)]);
    const objects = [...(await readObjects(client)), ...(await readRewrites(client))];
    const named = [...diffSchema(before.objects, objects), ...opened].map(describeSchemaDifference);
    return on([...lost, ...(named.length > 0 ? named : await unnamed(client, before.glance, now, catalogues))]);
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

function nameOf({ kind, identity, definition }: SchemaObject): string {
  return `${kind} ${identity}${definition === '' ? '' : ` ${definition}`}`;
}

function broken(changes: readonly string[], next: string): VerdigrisError {
  return new VerdigrisError('seal-broken', {
    seen: `Something that replication does not carry changed since it was verified: ${changes.join('; ')}.`,
    required: 'catalogues that stay as they were verified, on both colours, until the writes have moved.',
    next: `nothing was changed, and clients continue as before. ${next}`,
    facts: { changes },
  });
}
