import type { Finding } from '../../model/finding.ts';
import { diffSchema, type SchemaDifference, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { plain } from './notes.ts';

/** Something of the old shape that release N+1 no longer has, or has no longer as wide. */
export interface Contraction {
  /** As the catalogue prints it: `shop.customers.name`, `shop.total(integer)`, `shop.orders.total_check`. */
  readonly object: string;
  readonly kind: string;
  readonly how: 'removed' | 'narrowed';
  /** What software N meets, in words. */
  readonly what: string;
}

/** Something that release N+1 has and N does not. */
export interface Expansion {
  readonly object: string;
  readonly kind: string;
}

/** Kinds that software names in its statements, directly or by calling. */
const named: ReadonlySet<string> = new Set([
  'schema',
  'table',
  'view',
  'materialized view',
  'foreign table',
  'column',
  'type',
  'domain',
  'sequence',
  'function',
  'aggregate',
  'operator',
  'cast',
  'collation',
  'extension',
]);
const shown: ReadonlySet<string> = new Set([
  'table',
  'view',
  'materialized view',
  'foreign table',
  'column',
  'type',
  'domain',
  'function',
  'aggregate',
]);

/** Of the mapping's findings, those that say that a column takes less than before; what is gone is in the schemas' difference. */
const narrowing: Readonly<Record<string, string>> = {
  'type-narrowed': 'takes fewer values than before',
  'stricter-not-null': 'no longer takes NULL',
  'column-now-generated': 'can no longer be written',
};

/**
 * What software N, which knows `before`, loses by `after`. `mapping` are the findings of the tables' forward mapping between the
 * same two: columns are judged there, everything else by the difference of both schemas.
 */
export function contractions(
  before: readonly SchemaObject[],
  after: readonly SchemaObject[],
  mapping: readonly Finding[],
): Contraction[] {
  const differences = difference(before, after);
  const removed = differences.filter(
    ({ change, kind, before: was }) => change === 'removed' && named.has(kind) && !ofTrigger(was),
  );
  const gone = new Set(removed.map(({ identity }) => identity));
  const found = [
    ...removed
      .filter((each) => !partOf(each, gone))
      .map(({ kind, identity }): Contraction => ({ object: identity, kind, how: 'removed', what: 'is gone' })),
    ...mapping.flatMap(({ id, objects }) => {
      const what = narrowing[id];
      return what === undefined
        ? []
        : objects.map((object): Contraction => ({ object, kind: 'column', how: 'narrowed', what }));
    }),
    ...differences.flatMap((each) => narrowed(each, before)),
  ];
  return found.map((each) => ({ ...each, object: plain(each.object) }));
}

/** What `after` has and `before` has not; columns of relations that are new as a whole are not listed. */
export function expansions(before: readonly SchemaObject[], after: readonly SchemaObject[]): Expansion[] {
  const added = difference(before, after).filter(
    ({ change, kind, after: now }) => change === 'added' && shown.has(kind) && !ofTrigger(now),
  );
  const fresh = new Set(added.map(({ identity }) => identity));
  return added.filter((each) => !partOf(each, fresh)).map(({ kind, identity }) => ({ object: plain(identity), kind }));
}

/** Partitions are left out: their root stands for them, as it does for replication. */
function difference(before: readonly SchemaObject[], after: readonly SchemaObject[]): SchemaDifference[] {
  const partitions = [
    ...new Set(
      [...before, ...after]
        .filter(({ kind, definition }) => kind === 'table' && /^(FOR VALUES|DEFAULT$)/m.test(definition))
        .map(({ identity }) => identity),
    ),
  ];
  const ofPartition = ({ kind, identity }: SchemaDifference): boolean =>
    partitions.some(
      (name) =>
        identity === name || (kind === 'column' && identity.startsWith(`${name}.`)) || identity.endsWith(` on ${name}`),
    );
  return diffSchema(before, after, { acrossMajors: true }).filter((each) => !ofPartition(each));
}

/** A function that only a trigger can call is no part of what software uses. */
function ofTrigger(definition: string | undefined): boolean {
  return /^ RETURNS (event_)?trigger$/m.test(definition ?? '');
}

/** A column of a relation, or the sequence of a column, that comes or goes with it. */
function partOf({ kind, identity, before, after }: SchemaDifference, whole: ReadonlySet<string>): boolean {
  if (kind === 'column') return whole.has(identity.replace(/\.("(?:[^"]|"")+"|[^."]+)$/, ''));
  const owner = /^owned by (.+)$/m.exec(before ?? after ?? '')?.[1];
  return (
    kind === 'sequence' &&
    owner !== undefined &&
    (whole.has(owner) || whole.has(owner.replace(/\.("(?:[^"]|"")+"|[^."]+)$/, '')))
  );
}

/** What stays by its name and takes or gives less. */
function narrowed(
  { change, kind, identity, before = '', after = '' }: SchemaDifference,
  schema: readonly SchemaObject[],
): Contraction[] {
  const one = (what: string, object = identity): Contraction[] => [{ object, kind, how: 'narrowed', what }];
  if (change === 'added' && (kind === 'constraint' || (kind === 'index' && after.startsWith('CREATE UNIQUE INDEX')))) {
    const [name = '', table = ''] =
      kind === 'constraint'
        ? split(identity)
        : [identity.split('.').at(-1), / ON (?:ONLY )?(.+?) USING /.exec(after)?.[1]];
    return known(schema, table, kind === 'index' ? after.slice(after.indexOf(' USING ')) : after)
      ? one('refuses rows that were taken before', `${table}.${name}`)
      : [];
  }
  if (change !== 'changed') return [];
  if (kind === 'column' && / not null/.test(after) && default_.test(before) && !default_.test(after))
    return one('must be given: it is required, and its default is gone');
  if (kind === 'function' && returned(before) !== returned(after))
    return one(`returns ${returned(after)}, which was ${returned(before)}`);
  if (kind === 'type' || kind === 'domain') {
    const lines = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('owner '));
    const missing = lines(before).filter((line) => !lines(after).includes(line));
    const stricter = kind === 'domain' && lines(after).some((line) => !lines(before).includes(line));
    return missing.length > 0 || stricter ? one('is not as wide as before') : [];
  }
  return [];
}

const default_ = / default | as identity/;

function returned(definition: string): string {
  return /^ RETURNS (.+)$/m.exec(definition)?.[1] ?? 'nothing';
}

/** `name on schema.table` */
function split(identity: string): [string, string] {
  const at = identity.lastIndexOf(' on ');
  return [identity.slice(0, at), identity.slice(at + 4)];
}

/** Whether a definition speaks of a column that software N knows; a rule about new columns alone refuses nothing that N writes. */
function known(schema: readonly SchemaObject[], table: string, definition: string): boolean {
  const words = new Set(definition.match(/"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []);
  return schema.some(
    ({ kind, identity }) =>
      kind === 'column' && identity.startsWith(`${table}.`) && words.has(identity.slice(table.length + 1)),
  );
}
