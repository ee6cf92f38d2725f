import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { planText } from '../../../src/cli/plan.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { fill } from '../engines/folder.ts';
import { plainSql } from '../engines/support.ts';

test('plan says of each file what it does by the table of shape changes, one that breaks nothing too', async () => {
  const folder = await temporaryFolder();
  try {
    await fill(folder, {
      '0001_orders.sql': 'CREATE TABLE orders (id int PRIMARY KEY, note text, code int);',
      '0002_less.sql': 'ALTER TABLE orders\n  DROP COLUMN note;\nALTER TABLE orders ALTER code TYPE bigint;',
      '0003_more.sql': 'ALTER TABLE orders ADD COLUMN extra text;',
    });
    const engine = plainSql(folder);
    const shapes = (await engine.shapes?.()) ?? [];
    expect(shapes.map(({ version, source, verdict, object }) => ({ version, source, verdict, object }))).toEqual([
      { version: '0002', source: '0002_less.sql:2', verdict: 'breaks N', object: 'public.orders.note' },
      { version: '0002', source: '0002_less.sql:3', verdict: 'ends lossless rollback', object: undefined },
    ]);
    const text = planText([
      { verb: 'migrate', to: 'migrated', pauseMs: 0, steps: [], migrations: (await engine.files?.()) ?? [], shapes },
    ]);
    expect(text).toMatch(
      /0001 orders: breaks nothing.*\n +0002 less\n +breaks N: .*0002_less\.sql:2.*\n +ends lossless rollback: .*\n +0003 more: breaks nothing/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
