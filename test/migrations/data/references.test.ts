import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { planData } from '../../../src/migrations/data/plan.ts';
import type { SqlFile } from '../../../src/migrations/engines/sql/file.ts';
import { readSqlFiles } from '../../../src/migrations/engines/sql/files.ts';
import type { Table } from '../../../src/postgres/catalogue.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { fill } from '../engines/folder.ts';

const live: readonly Table[] = [
  {
    oid: 1,
    schema: 'public',
    name: 'customer',
    partitioned: false,
    persistence: 'permanent',
    columns: [],
    ...{ primaryKey: ['id'], identity: [], replicaIdentity: 'default', bytes: 0, estimatedRows: 0 },
  },
];

/** Where the last statement of files goes before which rows of a table of both colours wait for the switchover. */
async function placeAfter(...texts: readonly string[]): Promise<string | undefined> {
  const folder = await temporaryFolder();
  try {
    const all = ['INSERT INTO customer VALUES (1);', ...texts, 'INSERT INTO note VALUES (1, 1);'];
    await fill(folder, Object.fromEntries(all.map((text, index) => [`${index}_a.sql`, text])));
    const files: readonly SqlFile[] = await readSqlFiles(folder);
    return planData(files, live).at(-1)?.place;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const note = 'CREATE TABLE note (id int PRIMARY KEY, customer int REFERENCES customer);';
const apart = 'CREATE TABLE note (id int PRIMARY KEY, customer int);';
const named = `${apart} ALTER TABLE public.note ADD CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES public.customer;`;

test.each([
  [[note], 'switch'],
  [[named], 'switch'],
  [[apart], 'candidate'],
  [[note, 'ALTER TABLE note DROP CONSTRAINT note_customer_fkey;'], 'candidate'],
  [[note, 'ALTER TABLE note DROP CONSTRAINT note_pkey;'], 'switch'],
  [[note, 'ALTER TABLE other DROP CONSTRAINT note_customer_fkey;'], 'switch'],
  [[named, 'ALTER TABLE note DROP CONSTRAINT IF EXISTS of_customer;'], 'candidate'],
  [[note, 'ALTER TABLE note DROP COLUMN customer, ADD COLUMN customer int;'], 'candidate'],
  [[note, `DROP TABLE note; ${apart}`], 'candidate'],
  [[note, `DROP TABLE public.note; ${note}`], 'switch'],
])('a foreign key counts until it is dropped: %j', async (texts, place) => {
  expect(await placeAfter(...texts)).toBe(place);
});
