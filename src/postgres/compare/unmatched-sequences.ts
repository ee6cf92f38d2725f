import { count } from '../../model/count.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { one, rows, type Client } from '../client.ts';
import { literal } from '../quote.ts';
import { continuing } from '../sequence-twins.ts';
import { sequenceLabel, nextValue, readSequences, wouldRepeat, type Sequence } from './sequences.ts';

/** A column of a table, as SQL names both. */
interface Filled {
  readonly full: string;
  readonly table: string;
  readonly name: string;
  /** No two rows may have the same number, alone or beside other columns. */
  readonly unique: boolean;
}

const columns = `
  SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname) AS full, format('%I.%I', n.nspname, c.relname) AS table,
    format('%I', a.attname) AS name, a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
    AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS unique
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE format('%I.%I.%I', n.nspname, c.relname, a.attname) = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
    AND NOT c.relispartition`;

/**
 * Sequences of the candidate that fill a column of both sides and continue no sequence of the live one: nothing says
 * where they have to go on. `reader` may read rows of the candidate.
 */
export async function unmatchedSequences(live: Client, candidate: Client, reader: Client): Promise<Finding[]> {
  const [there, here] = [await readSequences(live), await readSequences(candidate)];
  return [...renamedUnseen(there, here), ...(await unmatchedOfColumns(there, here, { live, candidate, reader }))];
}

/**
 * Beside no column, and under a name that the live side has not: where the candidate is no copy of its files, nothing
 * says whether it is one that is gone there.
 */
function renamedUnseen(live: readonly Sequence[], candidate: readonly Sequence[]): Finding[] {
  const free = ({ fills, owner }: Sequence): boolean => fills.length === 0 && owner === null;
  const volume = ({ object }: Sequence): string => object.replace(/\/.*$/, '');
  const [before, after] = [live, candidate].map((all) => new Set(all.map(({ sequence }) => sequence)));
  const gone = live.filter((each) => free(each) && !after?.has(each.sequence));
  const found = candidate.flatMap((own) => {
    const was = gone.filter((each) => volume(each) !== volume(own) && wouldRepeat(each, own));
    return free(own) && !before?.has(own.sequence) && was.length > 0 ? [{ own, was }] : [];
  });
  if (found.length === 0) return [];
  return [
    finding('sequence-unmatched', {
      grade: 'refuse',
      title: `${count(found.length, 'sequence')} of the candidate may continue one that only the live side has`,
      objects: found.map(({ own, was }) => `${sequenceLabel(own)}: ${was.map(sequenceLabel).join(', ')}`),
      reason:
        "The candidate is no copy of the live colour's files, so that a renamed sequence looks like a new one. If it is " +
        'one, it would give numbers that were given before.',
      fix:
        'On the candidate, with a number beyond all that is given until the switchover: ' +
        found
          .map(({ own, was }) => {
            const last = was.reduce((far, { last: one }) => (one !== null && one > far ? one : far), 0n);
            return `SELECT setval(${literal(own.sequence)}, ${beyond(own, last)}, true);`;
          })
          .join(' ') +
        ' Or rename it in a release of its own, with the copy of the volume as its seed.',
    }),
  ];
}

async function unmatchedOfColumns(
  there: readonly Sequence[],
  candidates: readonly Sequence[],
  { live, candidate, reader }: { readonly live: Client; readonly candidate: Client; readonly reader: Client },
): Promise<Finding[]> {
  const alone = continuing(there, candidates).filter(({ own, before }) => before.length === 0 && own.fills.length > 0);
  if (alone.length === 0) return [];
  const filled = alone.flatMap(({ own }) => own.fills);
  const shared = new Set((await rows<Filled>(live, columns, [filled])).map(({ full }) => full));
  const here = (await rows<Filled>(candidate, columns, [filled])).filter(({ full }) => shared.has(full));
  const [certain, possible]: [string[], string[]] = [[], []];
  const fixes: string[] = [];
  for (const { own } of alone)
    for (const column of here.filter(({ full }) => own.fills.includes(full))) {
      const last = column.unique ? await lastOf(reader, own, column) : undefined;
      (last === undefined ? possible : certain).push(
        `${sequenceLabel(own)}, which fills ${column.full.replaceAll('"', '')}`,
      );
      if (last !== undefined) fixes.push(`SELECT setval(${literal(own.sequence)}, ${beyond(own, last)}, true);`);
    }
  const say = (grade: 'refuse' | 'warn', objects: string[], reason: string, fix: string): Finding[] =>
    objects.length === 0
      ? []
      : [
          finding('sequence-unmatched', {
            grade,
            title: `${count(objects.length, 'sequence')} of the candidate fill what no sequence of the live side fills`,
            objects,
            reason,
            fix,
          }),
        ];
  return [
    ...say(
      'refuse',
      certain,
      'The switchover has no position to set them to, and rows have the numbers that they give next.',
      `On the candidate, with a number beyond all that is written until the switchover: ${fixes.join(' ')} ` +
        'Or give the column its sequence in a release before this one.',
    ),
    ...say(
      'warn',
      possible,
      'The switchover has no position to set them to: they go on where they are now.',
      'See that they are beyond all that the live release writes until the switchover.',
    ),
  ];
}

/** Numbers left out in the statement that is shown: those that the live release may write until the switchover. */
const ahead = 1_000_000n;

function beyond({ increment, min, max }: Sequence, last: bigint): bigint {
  const far = last + increment * ahead;
  return far >= min && far <= max ? far : last;
}

/** The last number that a row has, in the direction in which it counts, where it is still to come. */
async function lastOf(reader: Client, own: Sequence, { table, name }: Filled): Promise<bigint | undefined> {
  const up = own.increment > 0n;
  const { last } = await one<{ last: string | null }>(
    reader,
    `SELECT ${up ? 'max' : 'min'}(${name})::text AS last FROM ${table}`,
  );
  const next = nextValue(own);
  if (last === null || next === null) return undefined;
  return (up ? BigInt(last) >= next : BigInt(last) <= next) ? BigInt(last) : undefined;
}
