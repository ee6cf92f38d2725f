import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { refusals, type Finding } from '../../model/finding.ts';
import {
  describeSchemaDifference,
  type SchemaDifference,
  type SchemaObject,
} from '../../postgres/fingerprint/index.ts';
import { rewriteKinds } from '../../postgres/seal/objects.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { copiedDatabases, keepClosed, knownDatabases } from '../gates/beside.ts';
import { strayFindings } from '../gates/preflight.ts';
import { writtenFindings } from '../gates/proof.ts';
import { retainedWritten } from '../gates/put-back.ts';
import { keepRewrites, rewritten, rewrittenFindings, withOtherRows } from '../gates/rewritten.ts';
import { driftFindings } from '../gates/schema.ts';
import { followedFindings } from '../gates/replication-findings.ts';
import { keepFacts } from './kept-facts.ts';
import { keepMoment } from './left-rows.ts';
import { changesSince, readForSeal, surroundingName, type Sealed } from './seal/compare.ts';

/** Of the attempt under way: before the commit point a crash undoes it, and the next one looks for itself. */
const seals = new WeakMap<Context, ReadonlyMap<Colour, Sealed>>();

export const look: Step = {
  id: 'look',
  title: 'read both catalogues',
  why: 'what is compared under the fence is read while nobody waits; what changed since the gates ends the switchover here',
  risk: 'none',
  async run(c) {
    await c.seeAgain();
    const sealed = new Map([
      [c.live, await readForSeal(c, c.live)],
      [c.idle, await readForSeal(c, c.idle)],
    ]);
    const objects = new Map([...sealed].map(([colour, seal]) => [colour, seal.objects]));
    const found = [...(await driftFindings(c, objects)), ...(await followedFindings(c)), ...(await strayFindings(c))];
    const rewrites = (colour: Colour) => objects.get(colour)?.filter(({ kind }) => rewriteKinds.includes(kind));
    const other = await withOtherRows(c, await rewritten(c, rewrites(c.live)));
    const sinceGates = rewrittenFindings(other, 'the gates', () => compareThere);
    const written = await (c.journal.state === 'switched' ? retainedWritten(c) : writtenFindings(c));
    const refused = refusals([...found, ...sinceGates, ...written]);
    const by = sinceGates.length === 0 ? [] : (sealed.get(c.live)?.rewriters ?? []);
    if (refused.length > 0)
      throw broken(
        [
          ...refused.map(({ title, objects: named }) => `${title} (${named.join(', ')})`),
          ...by.map((session) => `${session} may have done it`),
        ],
        refused.map(({ fix }) => fix).join(' '),
      );
    const others = await otherDatabases(c, sealed.get(c.live)?.surroundings ?? []);
    if (others.length > 0) throw broken(others, 'Run the same command again: its gates say what to do.');
    const slots = sealed.get(c.live)?.surroundings.filter(({ kind }) => kind === 'logical slot') ?? [];
    const unseen = [
      ...leftBehind(found).filter((object) => !leftBehind(c.shown).includes(object)),
      ...slots
        .map(surroundingName)
        .filter((name) => !consumersShown(c).some((shown) => name === `logical slot ${shown}`)),
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
    await keepClosed(c, c.idle);
    await keepMoment(c, sealed.get(c.idle)?.glance.since);
    seals.set(c, sealed);
    return `${[...objects.values()].reduce((sum, each) => sum + each.length, 0)} objects`;
  },
};

/** Made or changed since the gates: they are in no stream, and stay behind. */
async function otherDatabases(c: Context, surroundings: readonly SchemaObject[]): Promise<string[]> {
  const known = knownDatabases(c);
  const others = surroundings.filter(({ kind, identity }) => kind === 'database' && !known.includes(identity));
  const copied = others.length === 0 ? [] : await copiedDatabases(c);
  return others.filter(({ identity }) => !copied.includes(identity)).map(({ identity }) => `database ${identity}`);
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
    const seen = await Promise.all([...sealed].map(([colour, before]) => changesSince(c, colour, before)));
    const files = seen.flatMap(({ partitions }) => partitions);
    const other = await withOtherRows(c, distinct(files), heldComparison);
    const changes = seen.flatMap(({ colour, named, partitions }) => [
      ...named,
      ...partitions.filter(({ identity }) => other.some((each) => each.identity === identity)).map(told(colour)),
    ]);
    if (changes.length === 0) return files.length === 0 ? undefined : `rewritten with equal rows: ${names(files)}`;
    const by = other.length === 0 ? [] : (sealed.get(c.live)?.rewriters ?? []);
    throw broken(
      [...changes, ...by.map((session) => `${session} may have done it`)],
      `${by.length === 0 ? 'R' : 'Let these sessions end, r'}un \`verdigris status\`, and the same command again.`,
    );
  },
};

/** Milliseconds that clients wait at most for rows to be compared of what was rewritten right before the fence. */
const heldComparison = 1_000;

const told = (colour: Colour) => (difference: SchemaDifference) =>
  `on ${colour}: ${describeSchemaDifference(difference)}`;

function distinct(differences: readonly SchemaDifference[]): SchemaDifference[] {
  return [...new Map(differences.map((each) => [each.identity, each])).values()];
}

function names(differences: readonly SchemaDifference[]): string {
  return distinct(differences)
    .map(({ identity }) => identity)
    .join(', ');
}

function broken(changes: readonly string[], next: string): VerdigrisError {
  return new VerdigrisError('seal-broken', {
    seen: `Something that replication does not carry changed since it was verified: ${changes.join('; ')}.`,
    required: 'catalogues that stay as they were verified, on both colours, until the writes have moved.',
    next: `nothing was changed, and clients continue as before. ${next}`,
    facts: { changes },
  });
}
