/**
 * What a change of the schema does to a release, the gravest first. `breaks N`: the live release fails on it, or is
 * answered wrongly. `breaks forward apply`: what the live colour writes does not arrive on the candidate. `ends
 * lossless rollback`: the first row that only the new shape takes stops replication back to the retained colour.
 */
export const shapeVerdicts = ['breaks forward apply', 'breaks N', 'ends lossless rollback', 'harmless'] as const;
export type ShapeVerdict = (typeof shapeVerdicts)[number];

export interface ShapeChange {
  readonly verdict: ShapeVerdict;
  /** Follows the object's name in findings of all who judge: the linter, the plan and the gates. */
  readonly says: string;
  /** To the live release, which is served by the new shape around the switchover. */
  readonly software: string;
  /** To apply from the live colour to the candidate, until the switchover. */
  readonly forward: string;
  /** To apply from the new live colour to the retained one, after it. */
  readonly reverse: string;
  /** Taken on the table by the statement that makes the change, on the candidate as on a live database. */
  readonly lock: 'ACCESS EXCLUSIVE' | 'SHARE ROW EXCLUSIVE' | 'SHARE UPDATE EXCLUSIVE' | 'SHARE' | 'none';
  /** Rules of the linter that see it in a file. */
  readonly rules: readonly string[];
}

const fine = 'nothing';
const stops = 'stops at the first such row';
const refused = 'such a row is refused';

/** Fills in what all changes of one verdict share. */
function row(
  verdict: ShapeVerdict,
  says: string,
  lock: ShapeChange['lock'],
  rules: readonly string[],
  rest: Partial<ShapeChange> = {},
): ShapeChange {
  const breaks = verdict === 'breaks N' || verdict === 'breaks forward apply';
  return {
    verdict,
    says,
    lock,
    rules,
    software: breaks ? refused : fine,
    forward: breaks ? stops : fine,
    reverse: verdict === 'ends lossless rollback' ? stops : fine,
    ...rest,
  };
}

const gone = { software: 'its statements fail', forward: 'is not carried', reverse: 'is not carried' };
const unanswered = { software: 'is answered wrongly', forward: fine };

/**
 * The one table of shape changes. The gates see a change by comparing two catalogues, the linter by parsing a file;
 * both speak from here. A verdict that breaks the live release is a refusal that a note can lift (`-- verdigris:
 * contract OBJECT …`): the note says that its software no longer uses it.
 */
const table = {
  'object-removed': row(
    'breaks N',
    'is gone',
    'ACCESS EXCLUSIVE',
    [
      'drop-table',
      'drop-view',
      'drop-function',
      'drop-type',
      'drop-schema',
      'drop-object',
      'rename-object',
      'view-column-removed',
    ],
    gone,
  ),
  'table-renamed': row('breaks forward apply', 'has another name', 'ACCESS EXCLUSIVE', ['rename-table'], gone),
  'table-remade': row('breaks forward apply', 'was made again under its name', 'ACCESS EXCLUSIVE', ['drop-table'], {
    software: fine,
    forward: 'goes on without it, and nothing says so',
  }),
  'table-without-identity': row('harmless', 'has no replica identity', 'none', ['table-without-primary-key'], {
    forward: 'is on one side only',
    reverse: 'is on one side only; the release after this one asks for a key',
  }),
  'identity-changed': row(
    'breaks forward apply',
    'is identified by columns that the other side does not send',
    'ACCESS EXCLUSIVE',
    ['drop-primary-key', 'replica-identity'],
    { software: fine, forward: 'stops at the first UPDATE or DELETE' },
  ),
  'identity-not-sent-back': row(
    'ends lossless rollback',
    'identifies rows by other columns than the retained colour does',
    'ACCESS EXCLUSIVE',
    ['replica-identity'],
    { reverse: 'stops at the first UPDATE or DELETE' },
  ),
  'row-security': row(
    'breaks N',
    'has row security that was not there',
    'ACCESS EXCLUSIVE',
    ['row-security'],
    unanswered,
  ),
  'inheritance-ended': row(
    'breaks N',
    'is no longer read with its parent',
    'ACCESS EXCLUSIVE',
    ['change-inheritance'],
    unanswered,
  ),
  'column-added': row('harmless', 'is new', 'ACCESS EXCLUSIVE', ['add-column-volatile-default'], {
    reverse: 'is not carried',
  }),
  'column-removed': row('breaks N', 'is gone', 'ACCESS EXCLUSIVE', ['drop-column'], gone),
  'column-renamed': row('breaks forward apply', 'has another name', 'ACCESS EXCLUSIVE', ['rename-column'], gone),
  'column-remade': row(
    'breaks N',
    'is another column than before, and empty unless it was filled',
    'ACCESS EXCLUSIVE',
    ['rename-column', 'drop-column'],
    unanswered,
  ),
  'column-required': row(
    'breaks forward apply',
    'is required, and the live release does not write it',
    'ACCESS EXCLUSIVE',
    ['add-required-column'],
  ),
  'default-removed': row(
    'breaks N',
    'must be given: it is required, and its default is gone',
    'ACCESS EXCLUSIVE',
    ['drop-default'],
    { forward: fine },
  ),
  'not-null-added': row('breaks N', 'no longer takes NULL', 'ACCESS EXCLUSIVE', ['new-not-null', 'add-primary-key']),
  'not-null-removed': row('ends lossless rollback', 'takes NULL from now on', 'ACCESS EXCLUSIVE', ['drop-not-null']),
  'type-narrowed': row('breaks N', 'takes fewer values than before', 'ACCESS EXCLUSIVE', ['narrow-column-type']),
  'type-widened': row('ends lossless rollback', 'takes more values than before', 'ACCESS EXCLUSIVE', [
    'column-type-no-way-back',
  ]),
  'type-changed': row('breaks forward apply', 'has a type that the old one does not convert to', 'ACCESS EXCLUSIVE', [
    'narrow-column-type',
  ]),
  'identity-always': row(
    'breaks N',
    'is generated always, so that it cannot be given',
    'ACCESS EXCLUSIVE',
    ['identity-always'],
    {
      forward: fine,
    },
  ),
  'generation-added': row(
    'breaks N',
    'is computed, so that it cannot be written',
    'ACCESS EXCLUSIVE',
    ['drop-column'],
    { forward: 'is computed on each side' },
  ),
  'generation-removed': row(
    'breaks forward apply',
    'is not computed any more',
    'ACCESS EXCLUSIVE',
    ['drop-expression'],
    {
      software: 'stays empty',
      forward: 'is not sent, and stays empty',
    },
  ),
  'check-narrowed': row('breaks N', 'refuses rows that were taken before', 'ACCESS EXCLUSIVE', ['stricter-constraint']),
  'check-widened': row('ends lossless rollback', 'takes rows that it refused before', 'ACCESS EXCLUSIVE', [
    'drop-constraint',
  ]),
  'unique-narrowed': row('breaks N', 'refuses rows that were taken before', 'ACCESS EXCLUSIVE', [
    'new-unique',
    'add-exclusion-constraint',
  ]),
  'unique-widened': row('ends lossless rollback', 'takes rows that it refused before', 'ACCESS EXCLUSIVE', [
    'drop-constraint',
    'drop-unique-index',
    'drop-primary-key',
  ]),
  'foreign-key-added': row(
    'breaks N',
    'refuses rows that were taken before',
    'SHARE ROW EXCLUSIVE',
    ['stricter-constraint'],
    { forward: 'does not check it: verify finds such rows' },
  ),
  'foreign-key-removed': row('harmless', 'is no longer checked', 'ACCESS EXCLUSIVE', ['drop-constraint'], {
    reverse: 'does not check it',
  }),
  'enum-value-added': row('ends lossless rollback', 'takes values that it did not know', 'none', ['add-enum-value']),
  'type-remade': row('breaks N', 'is not as wide as before', 'none', [
    'rename-enum-value',
    'enum-value-removed',
    'alter-composite-type',
    'drop-type',
  ]),
  'domain-narrowed': row('breaks N', 'refuses values that were taken before', 'SHARE', ['alter-domain-constraint']),
  'domain-widened': row('ends lossless rollback', 'takes values that it refused before', 'none', [
    'drop-domain-constraint',
  ]),
  'partition-removed': row('breaks N', 'is no partition any more, and no other takes its rows', 'ACCESS EXCLUSIVE', [
    'detach-partition',
    'drop-table',
  ]),
  'partition-added': row('ends lossless rollback', 'takes rows that no partition took before', 'ACCESS EXCLUSIVE', [
    'new-partition',
  ]),
  'function-returns': row('breaks N', 'returns another type', 'none', ['change-function-signature'], unanswered),
} satisfies Readonly<Record<string, ShapeChange>>;

export type ShapeChangeId = keyof typeof table;
export const shapeChanges: Readonly<Record<ShapeChangeId, ShapeChange>> = table;

/** The gravest that a rule of the linter can have seen; undefined for one that sees no change of a shape. */
export function verdictOfRule(rule: string): ShapeVerdict | undefined {
  const seen = Object.values(shapeChanges).filter(({ rules }) => rules.includes(rule));
  return shapeVerdicts.find((verdict) => seen.some((change) => change.verdict === verdict));
}

/** One change that was seen, in a file or between two catalogues. */
export interface SeenChange {
  readonly id: ShapeChangeId;
  /** As the catalogue prints it: `shop.customers.name`, `shop.total(integer)`, `shop.orders.total_check`. */
  readonly object: string;
  /** `column`, `constraint`, …: the catalogue's word. */
  readonly kind: string;
  /** In place of the table's words, where more is known. */
  readonly says?: string;
}

/** `shop.orders.total_check refuses rows that were taken before` */
export function changeLine({ id, object, says }: SeenChange): string {
  return `${object} ${says ?? shapeChanges[id].says}`;
}

export function ofVerdict(changes: readonly SeenChange[], ...wanted: readonly ShapeVerdict[]): SeenChange[] {
  return changes.filter(({ id }) => wanted.includes(shapeChanges[id].verdict));
}
