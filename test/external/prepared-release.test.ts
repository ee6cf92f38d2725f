import { beforeAll, expect, test } from 'vitest';
import { killAlongTheWay } from '../faults/kill-chain.ts';
import { served } from '../faults/support.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { based, dumped, to, withProgram } from '../support/prepared.ts';
import { thereAndBack } from '../support/there-and-back.ts';
import { good } from '../support/verdict.ts';

beforeAll(withNewestPgDump);

test("a program dumps the database by the slot's snapshot under load; there and back and there: nothing is lost or left", async () => {
  await withProgram(() => `${dumped}\necho snapshot`, thereAndBack);
});

test('a program takes a base backup and promotes it: X is of its history of timelines, exactly', async () => {
  await withProgram((live, candidate) => `${based(live, candidate)}\necho promoted`, thereAndBack);
});

/** It may have begun before. */
const anew = `psql ${to} -d postgres -q -c 'DROP DATABASE IF EXISTS shop WITH (FORCE)' \\
  -c 'DROP ROLE IF EXISTS shop_app' -c 'DROP ROLE IF EXISTS shop_reader' >&2`;

test(
  'a seed by a program, killed before and after each entry of the journal, goes on',
  { timeout: 1_200_000 },
  async () => {
    await withProgram(
      () => `${anew}\n${dumped}\necho snapshot`,
      async (bench) => {
        const { verdict } = await bench.exercise(async (workload) => {
          await killAlongTheWay(bench, 'seed', { options: { way: 'prepared' } });
          await bench.settled({ state: 'seeded', live: 'blue' });
          for (const each of ['migrate', 'verify'] as const) await bench.verb(each);
          await served(workload, 50);
        });
        expect(verdict).toMatchObject(good);
      },
    );
  },
);
