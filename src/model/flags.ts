import { createHash } from 'node:crypto';
import { z } from 'zod';

/** A flag of the software's, that follows the database's release. */
const flagSchema = z.strictObject({
  /** On while the live schema has the shape of this release. */
  release: z.string().min(1).max(63),
  /** And this backfill is complete. */
  backfill: z.string().min(1).optional(),
  /** Per cent of the targeting keys for which it is on. */
  share: z.number().min(0).max(100).default(100),
});

export const flagsSchema = z.record(
  z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'a flag has 1 to 63 of letters, digits, ., _ and -')
    .refine((key) => !key.startsWith('verdigris.'), "flags that begin with verdigris. are Verdigris's own"),
  flagSchema,
);

export type FlagDeclaration = z.output<typeof flagSchema>;

/** What flags are computed from: what the journal says, and what only the servers know where they could be asked. */
export interface FlagFacts {
  readonly live: string;
  readonly state: string;
  readonly liveRelease: string;
  /** Releases whose shape the live schema has: the live one, and those before it that were accepted. */
  readonly shapes: ReadonlySet<string>;
  readonly backfills?: ReadonlyMap<string, boolean> | undefined;
  readonly losslessRollback?: boolean | undefined;
}

/**
 * Releases whose shape a schema has: the one that it carries, the one that a release under way came from, the first of
 * all, and those that were accepted.
 */
export function shapesOf(
  { liveRelease, release }: { readonly liveRelease: string; readonly release: { readonly from: string } | null },
  history: readonly { readonly from: string; readonly to: string; readonly outcome: string }[],
): ReadonlySet<string> {
  const first = history.slice(0, 1).map(({ from }) => from);
  const accepted = history.filter(({ outcome }) => outcome === 'released').map(({ to }) => to);
  return new Set([...first, ...accepted, ...(release ? [release.from] : []), liveRelease]);
}

/** As the OpenFeature remote evaluation protocol has it. */
export type Evaluation =
  | {
      readonly value: boolean | string;
      readonly reason: 'STATIC' | 'SPLIT' | 'TARGETING_MATCH' | 'DEFAULT';
      readonly variant: string;
    }
  | {
      readonly errorCode: 'FLAG_NOT_FOUND' | 'TARGETING_KEY_MISSING' | 'GENERAL';
      readonly errorDetails: string;
    };

/**
 * Flags that the facts alone decide; `verdigris.schema.` is followed by a release, `verdigris.backfill.` by a backfill.
 */
const own: Readonly<Record<string, (facts: FlagFacts) => boolean | string | undefined>> = {
  'verdigris.release': ({ liveRelease }) => liveRelease,
  'verdigris.live': ({ live }) => live,
  'verdigris.state': ({ state }) => state,
  'verdigris.rollback': ({ losslessRollback }) => losslessRollback,
};

const [schema, backfill] = ['verdigris.schema.', 'verdigris.backfill.'];

/** Keys that a bulk evaluation answers: those that are declared, and those that are about what there is. */
export function flagKeys(declared: Readonly<Record<string, FlagDeclaration>>, facts: FlagFacts): string[] {
  return [
    ...Object.keys(own),
    ...[...facts.shapes].map((release) => `${schema}${release}`),
    ...[...(facts.backfills?.keys() ?? [])].map((name) => `${backfill}${name}`),
    ...Object.keys(declared),
  ];
}

/** Pure. A release that nobody has heard of is one whose shape the schema does not have. */
export function evaluate(
  key: string,
  targetingKey: string | undefined,
  declared: Readonly<Record<string, FlagDeclaration>>,
  facts: FlagFacts,
): Evaluation {
  if (key.startsWith(schema)) return fixed(facts.shapes.has(key.slice(schema.length)));
  if (key.startsWith(backfill)) return ofBackfill(key.slice(backfill.length), facts);
  const known = Object.hasOwn(own, key) ? own[key] : undefined;
  if (known) return answer(known(facts), `${key} is not known now: a server could not be asked`);
  const flag = Object.hasOwn(declared, key) ? declared[key] : undefined;
  if (!flag) return { errorCode: 'FLAG_NOT_FOUND', errorDetails: `there is no flag ${key}` };
  return ofDeclared(key, targetingKey, flag, facts);
}

function ofDeclared(
  key: string,
  targetingKey: string | undefined,
  { release, backfill: name, share }: FlagDeclaration,
  facts: FlagFacts,
): Evaluation {
  if (!facts.shapes.has(release)) return fixed(false);
  // One that a later release has outlived is looked for no more.
  const outlived = facts.backfills?.has(name ?? '') === false && release !== facts.liveRelease;
  if (name !== undefined && !outlived) {
    const filled = ofBackfill(name, facts);
    if ('errorCode' in filled || filled.value !== true) return filled;
  }
  if (share === 100 || share === 0) return fixed(share === 100);
  if (targetingKey === undefined || targetingKey === '')
    return { errorCode: 'TARGETING_KEY_MISSING', errorDetails: `${key} is on for ${share} % of the targeting keys` };
  const value = inShare(key, targetingKey, share);
  return { value, reason: 'SPLIT', variant: String(value) };
}

function ofBackfill(name: string, { backfills }: FlagFacts): Evaluation {
  if (backfills === undefined)
    return { errorCode: 'GENERAL', errorDetails: 'backfills are not known now: a server could not be asked' };
  const complete = backfills.get(name);
  return complete === undefined
    ? { errorCode: 'FLAG_NOT_FOUND', errorDetails: `there is no backfill ${name}` }
    : fixed(complete);
}

function answer(value: boolean | string | undefined, otherwise: string): Evaluation {
  return value === undefined ? { errorCode: 'GENERAL', errorDetails: otherwise } : fixed(value);
}

function fixed(value: boolean | string): Evaluation {
  return { value, reason: 'STATIC', variant: String(value) };
}

/** The same for a key at every time and in every process; a larger share has all keys of a smaller one. */
export function inShare(flag: string, targetingKey: string, share: number): boolean {
  const digest = createHash('sha256').update(`${flag}\0${targetingKey}`).digest();
  return digest.readUInt32BE(0) < (share / 100) * 2 ** 32;
}
