import type { Finding } from '../../model/finding.ts';
import type { SeenChange, ShapeChangeId } from '../../model/shape-changes.ts';
import { diffSchema, type SchemaDifference, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { plain } from '../expand-contract/notes.ts';
import { notNullFact } from './formula.ts';
import { implies } from './implies.ts';
import { relationOf, tablesThatDiffer } from './of-table.ts';
import { untaken } from './partitions.ts';
import { tableShapes, type TableShapes } from './rules.ts';
import { stricterRules, type Stricter } from './stricter.ts';
import { typeChanges } from './types.ts';

/** Findings of the tables' mappings between the same two schemas, each way. */
export interface Mappings {
  readonly forward: readonly Finding[];
  readonly reverse: readonly Finding[];
}

/** Kinds that software names in its statements, directly or by calling. */
const named: ReadonlySet<string> = new Set([
  ...['schema', 'table', 'view', 'materialized view', 'foreign table', 'column', 'type', 'domain', 'sequence'],
  ...['function', 'aggregate', 'operator', 'cast', 'collation', 'extension'],
]);

/** What the mapping of columns says in each direction, in the words of the table of shape changes. */
const forwardFindings: Readonly<Record<string, ShapeChangeId>> = {
  'type-narrowed': 'type-narrowed',
  'stricter-not-null': 'not-null-added',
  'column-now-generated': 'generation-added',
  'column-remade': 'column-remade',
};
const reverseFindings: Readonly<Record<string, ShapeChangeId>> = {
  'type-narrowed': 'type-widened',
  'type-changed': 'type-widened',
  'stricter-not-null': 'not-null-removed',
  'required-column-added': 'not-null-removed',
  'identity-changed': 'identity-not-sent-back',
};

const forwardRules: Readonly<Record<Stricter['by'], ShapeChangeId>> = {
  check: 'check-narrowed',
  unique: 'unique-narrowed',
  'foreign key': 'foreign-key-added',
};
const reverseRules: Readonly<Record<Stricter['by'], ShapeChangeId>> = {
  check: 'check-widened',
  unique: 'unique-widened',
  'foreign key': 'foreign-key-removed',
};

/**
 * What changed between the live release's schema, `before`, and the release's, in the words of the table of shape
 * changes. Each direction is judged by what the one side takes and the other refuses, whatever a rule is called.
 * `loadModule` of the parser must have been awaited.
 */
export function shapeChangesBetween(
  before: readonly SchemaObject[],
  after: readonly SchemaObject[],
  mappings: Mappings,
): SeenChange[] {
  const differences = schemaDifference(before, after);
  const [were, are] = tablesThatDiffer(before, after);
  const [was, is] = [tableShapes(were), tableShapes(are)];
  const removed = differences.filter(
    ({ change, kind, before: was }) => change === 'removed' && named.has(kind) && !ofTrigger(was),
  );
  const gone = new Set(removed.map(({ identity }) => identity));
  const seen = [
    ...removed
      .filter((each) => !isPartOf(each, gone))
      .map(({ kind, identity: object }): SeenChange => ({
        id: kind === 'column' ? 'column-removed' : 'object-removed',
        object,
        kind,
      })),
    ...ofMapping(mappings.forward, forwardFindings).filter((change) => !isRefusedAlready(change, was)),
    ...differences.flatMap(ofDefinition),
    ...differences.flatMap(typeChanges),
    ...stricterRules(was, is).map(({ by, object }): SeenChange => ({
      id: forwardRules[by],
      object,
      kind: 'constraint',
    })),
    ...untaken(before, after, 'those that are there').map((object): SeenChange => ({
      id: 'partition-removed',
      object,
      kind: 'table',
    })),
    ...ofMapping(mappings.reverse, reverseFindings),
    ...stricterRules(is, was).map(({ by, object }): SeenChange => ({
      id: reverseRules[by],
      object,
      kind: 'constraint',
    })),
    ...untaken(after, before, 'new').map((object): SeenChange => ({ id: 'partition-added', object, kind: 'table' })),
  ];
  return unique(seen.map((each) => ({ ...each, object: plain(each.object) })));
}

/** A NULL that a CHECK of the live release refuses is not written, whatever the column says. */
function isRefusedAlready({ id, object }: SeenChange, before: TableShapes): boolean {
  if (id !== 'not-null-added') return false;
  return [...before].some(([table, { columns, checks }]) =>
    [...columns.keys()].some(
      (column) =>
        plain(`${table}.${column}`) === plain(object) &&
        implies({ all: checks.map(({ formula }) => formula) }, notNullFact(column), 'passes'),
    ),
  );
}

function ofMapping(findings: readonly Finding[], ids: Readonly<Record<string, ShapeChangeId>>): SeenChange[] {
  return findings.flatMap(({ id: found, objects }) => {
    const id = ids[found];
    return id === undefined ? [] : objects.map((object): SeenChange => ({ id, object, kind: 'column' }));
  });
}

/** Partitions are left out: their root stands for them, as it does for replication. */
export function schemaDifference(before: readonly SchemaObject[], after: readonly SchemaObject[]): SchemaDifference[] {
  const partitions = new Set(
    [...before, ...after]
      .filter(({ kind, definition }) => kind === 'table' && /^(FOR VALUES|DEFAULT$)/m.test(definition))
      .map(({ identity }) => identity),
  );
  return diffSchema(before, after, { acrossMajors: true }).filter(
    ({ kind, identity }) =>
      !partitions.has(identity) &&
      !(kind === 'column' && partitions.has(relationOf(identity))) &&
      !partitions.has(identity.slice(identity.lastIndexOf(' on ') + 4)),
  );
}

/** A function that only a trigger can call is no part of what software uses. */
export function ofTrigger(definition: string | undefined): boolean {
  return /^ RETURNS (event_)?trigger$/m.test(definition ?? '');
}

/** A column of a relation, or the sequence of a column, that comes or goes with it. */
export function isPartOf({ kind, identity, before, after }: SchemaDifference, whole: ReadonlySet<string>): boolean {
  if (kind === 'column') return whole.has(relationOf(identity));
  const owner = /^owned by (.+)$/m.exec(before ?? after ?? '')?.[1];
  return kind === 'sequence' && owner !== undefined && (whole.has(owner) || whole.has(relationOf(owner)));
}

const fills = / default | as identity/;

/** What stays by its name, and answers the live release otherwise. */
function ofDefinition({ change, kind, identity: object, before = '', after = '' }: SchemaDifference): SeenChange[] {
  const one = (id: ShapeChangeId, says?: string): SeenChange[] => [
    { id, object, kind, ...(says === undefined ? {} : { says }) },
  ];
  if (change !== 'changed') return [];
  const gains = (line: RegExp): boolean => line.test(after) && !line.test(before);
  if (kind === 'column')
    return [
      ...(/ not null/.test(after) && fills.test(before) && !fills.test(after) ? one('default-removed') : []),
      ...(gains(/ generated always as identity/) ? one('identity-always') : []),
    ];
  if (kind === 'table')
    return [
      ...(gains(/^row security$/m) || (gains(/^forced row security$/m) && /^row security$/m.test(after))
        ? one('row-security')
        : []),
      ...(lostParents(before, after) ? one('inheritance-ended') : []),
    ];
  if (kind === 'function' && returned(before) !== returned(after))
    return one('function-returns', `returns ${returned(after)}, which was ${returned(before)}`);
  return [];
}

function lostParents(before: string, after: string): boolean {
  const parents = (definition: string) => /^inherits (.+)$/m.exec(definition)?.[1]?.split(', ') ?? [];
  return parents(before).some((parent) => !parents(after).includes(parent));
}

function returned(definition: string): string {
  return /^ RETURNS (.+)$/m.exec(definition)?.[1] ?? 'nothing';
}

function unique(changes: readonly SeenChange[]): SeenChange[] {
  return [...new Map(changes.map((change) => [`${change.id} ${change.object}`, change])).values()];
}
