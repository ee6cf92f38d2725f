import { createHash } from 'node:crypto';
import { ident } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { rootIdentities, type RootIdentity } from './partition-identity.ts';
import { physicalTables, type PhysicalTable } from './tables.ts';

/** FULL is no identity that apply can use where a column cannot be compared and no key stands in. */
const fullWorks = (table: PhysicalTable) => table.incomparable.length === 0 || table.primaryKey;

/**
 * The cheapest identity that works: a key that is there, the whole row, and only then a new column, which rewrites the
 * table.
 */
function giveIdentity(table: PhysicalTable): string[] {
  return (
    existingKey(table) ?? (fullWorks(table) ? [`ALTER TABLE ${table.name} REPLICA IDENTITY FULL;`] : newKey(table))
  );
}

/** Of a partition, its root has to have it. */
function giveKey(table: PhysicalTable, roots: readonly RootIdentity[]): readonly string[] {
  const root = roots.find(({ leaves }) => leaves.includes(table.label));
  return root?.byKey ?? existingKey(table) ?? newKey(table);
}

function existingKey(table: PhysicalTable): string[] | undefined {
  if (table.primaryKey) return [`ALTER TABLE ${table.name} REPLICA IDENTITY DEFAULT;`];
  return table.usableIndex === undefined
    ? undefined
    : [`ALTER TABLE ${table.name} REPLICA IDENTITY USING INDEX ${table.usableIndex};`];
}

/** A primary key where one can be added; a unique index where a deferrable key is in the way. */
function newKey({ name, label, deferrableKey }: PhysicalTable): string[] {
  const warning = '-- rewrites the table under an exclusive lock:';
  const column = ident('verdigris_key');
  if (!deferrableKey) {
    return [
      `${warning}\nALTER TABLE ${name} ADD COLUMN ${column} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;`,
      `ALTER TABLE ${name} REPLICA IDENTITY DEFAULT;`,
    ];
  }
  const index = ident(`verdigris_key_${createHash('sha256').update(label).digest('hex').slice(0, 12)}`);
  return [
    `${warning}\nALTER TABLE ${name} ADD COLUMN IF NOT EXISTS ${column} uuid NOT NULL DEFAULT gen_random_uuid();`,
    `CREATE UNIQUE INDEX ${index} ON ${name} (${column});`,
    `ALTER TABLE ${name} REPLICA IDENTITY USING INDEX ${index};`,
  ];
}

const objects = (tables: readonly PhysicalTable[]) => tables.map((table) => table.label);
const hasNone = ({ identity, primaryKey, deferrableKey, identityIndex }: PhysicalTable) =>
  identity === 'nothing' ||
  (identity === 'index' && !identityIndex) ||
  (identity === 'default' && !primaryKey && !deferrableKey);

/**
 * Docs: "Logical Replication / Publication"; ALTER TABLE … REPLICA IDENTITY; the index's conditions are of that page.
 */
export const replicaIdentity: Check = {
  id: 'replica-identity',
  hazards: [1],
  title: 'replica identity of every table',
  on: 'live',
  when: everyGate,
  findings: [
    'replica-identity-missing',
    'replica-identity-deferrable',
    'replica-identity-full-incomparable',
    'replica-identity-full',
  ],
  run: async (client, { oneSided = [] }) => {
    const tables = (await physicalTables(client)).filter(({ root, name }) => !oneSided.includes(root ?? name));
    const single = tables.filter(({ root }) => root === undefined);
    const none = single.filter(hasNone);
    const roots = await rootIdentities(client);
    const partitions = tables.filter(({ label }) => roots.some(({ broken }) => broken.includes(label)));
    const deferrable = single.filter(
      (table) => table.identity === 'default' && !table.primaryKey && table.deferrableKey,
    );
    const full = tables.filter((table) => table.identity === 'full' && !table.primaryKey);
    return [
      ...found('replica-identity-missing', {
        objects: objects(tables.filter((table) => none.includes(table) || partitions.includes(table))),
        reason:
          'Once they are published, every UPDATE and DELETE on them fails on the live database; ' +
          "of a partition whose identity lacks the partition key, or is not its root's, it stops apply.",
        fix: inOrder([
          ...none.flatMap(giveIdentity),
          ...roots.flatMap(({ leaves, broken, whole, byKey }) => {
            if (broken.length === 0) return [];
            return tables.filter(({ label }) => leaves.includes(label)).every(fullWorks) ? whole : byKey;
          }),
        ]),
      }),
      ...found('replica-identity-deferrable', {
        objects: objects(deferrable),
        reason:
          'PostgreSQL identifies rows by immediate keys only: once published, every UPDATE and DELETE on these tables fails on the live database.',
        fix: inOrder(deferrable.flatMap(giveIdentity)),
      }),
      ...found('replica-identity-full-incomparable', {
        objects: full
          .filter((table) => !fullWorks(table))
          .flatMap((table) => table.incomparable.map((column) => `${table.label}.${column}`)),
        reason:
          'Apply finds a row by comparing every column; these types have no equality, so the first UPDATE or DELETE stops replication.',
        fix: inOrder(full.filter((table) => !fullWorks(table)).flatMap((table) => giveKey(table, roots))),
      }),
      ...found('replica-identity-full', {
        objects: objects(full.filter(fullWorks)),
        reason:
          'For each row that is updated or deleted apply may read the whole table, and the log holds the whole old row: slow on large tables.',
        fix: inOrder(full.filter(fullWorks).flatMap((table) => giveKey(table, roots))),
      }),
    ];
  },
};
