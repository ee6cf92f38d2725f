import { expect, test } from 'vitest';
import { compareSequences, readSequences } from '../../../src/postgres/compare/index.ts';
import { withServer } from '../../support/postgres.ts';
import { withSides } from './support.ts';

const setup = `
  CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, s serial);
  CREATE SEQUENCE "Down" INCREMENT -5 MINVALUE -9223372036854775808 MAXVALUE 0 START 0;
  CREATE SEQUENCE round AS smallint MINVALUE 1 MAXVALUE 10 CYCLE; CREATE SEQUENCE never START 7;
  CREATE SEQUENCE full_up MAXVALUE 3; CREATE SEQUENCE turn; CREATE SEQUENCE gone`;

test('reads all sequences and says which would hand out a value again', async () => {
  await withServer((server) =>
    withSides(server, async ({ live, candidate }) => {
      for (const side of [live, candidate]) await side.query(setup);
      await candidate.query('DROP SEQUENCE gone; ALTER SEQUENCE turn INCREMENT -1 MINVALUE -100');
      await live.query(
        `INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES;
          SELECT nextval('"Down"'), nextval('"Down"'), nextval('round'), nextval('full_up'), nextval('full_up'), nextval('full_up')`,
      );

      const read = await readSequences(live);
      expect(read.map(({ name, last, increment, cycle, ownedBy }) => [name, last, increment, cycle, ownedBy])).toEqual([
        ['Down', -5n, -5n, false, null],
        ['full_up', 3n, 1n, false, null],
        ['gone', null, 1n, false, null],
        ['never', null, 1n, false, null],
        ['round', 1n, 1n, true, null],
        ['t_id_seq', 2n, 1n, false, 'public.t.id'],
        ['t_s_seq', 2n, 1n, false, 'public.t.s'],
        ['turn', null, 1n, false, null],
      ]);
      expect(read[0]?.min).toBe(-9223372036854775808n);

      const before = await compareSequences(live, candidate);
      expect(before.map(({ id, grade, objects }) => [id, grade, objects])).toEqual([
        ['sequence-missing', 'warn', ['public.gone']],
        ['sequence-turned', 'warn', ['public.turn']],
        [
          'sequence-behind',
          'info',
          ['public.Down', 'public.full_up', 'public.round', 'public.t_id_seq', 'public.t_s_seq'],
        ],
      ]);
      const after = (await compareSequences(live, candidate, 'after')).find(({ id }) => id === 'sequence-behind');
      expect(after?.grade).toBe('refuse');
      await candidate.query(after?.fix ?? '');
      expect((await compareSequences(live, candidate, 'after')).map(({ id }) => id)).toEqual([
        'sequence-missing',
        'sequence-turned',
      ]);
      // Ahead, as with a margin, is as good.
      await candidate.query(`SELECT setval('t_id_seq', 100), setval('"Down"', -100)`);
      expect((await compareSequences(live, candidate, 'after')).map(({ id }) => id)).toEqual([
        'sequence-missing',
        'sequence-turned',
      ]);
    }),
  );
}, 60_000);
