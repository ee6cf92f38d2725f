import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { failure } from '../support/failure.ts';
import { dumped, to, withProgram } from '../support/prepared.ts';

beforeAll(withNewestPgDump);

test("a program's copy: what it leaves out is found by verify, what cannot be ends the seed with nothing left, a whole one is proved", async () => {
  await withProgram(
    () => `sh "$(dirname "$0")/before"\n${dumped}\nsh "$(dirname "$0")/after"`,
    async ({ verb, on, platform, environment }, { candidate }) => {
      const folder = path.dirname(environment.seed.command?.[0] ?? '');
      const psql = `psql ${to}`;
      const again = async (after: string): Promise<void> => {
        const drop = ['DATABASE IF EXISTS shop WITH (FORCE)', 'ROLE IF EXISTS shop_app', 'ROLE IF EXISTS shop_reader'];
        const anew = `${psql} -d postgres -q ${drop.map((each) => `-c 'DROP ${each}'`).join(' ')} >&2`;
        await writeFile(path.join(folder, 'before'), anew);
        await writeFile(path.join(folder, 'after'), after);
      };
      const unmade = async (): Promise<void> => {
        expect(await on('blue', (client) => rows(client, 'SELECT FROM pg_replication_slots'))).toEqual([]);
        expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', release: null, operation: null });
      };
      for (const [after, why] of [
        ['echo broken pipe >&2; exit 3', 'ended with 3: broken pipe'],
        ['echo done', 'did not say in its last line where its copy ends: done'],
        ['echo promoted', 'history of timelines does not say where'],
        ['echo FFFF/0', 'and the live server has written no further than'],
      ] as const) {
        await again(after);
        const error = await failure(verb('seed'));
        expect(error).toMatchObject({ id: 'seed-command' });
        expect(error.message).toContain(why);
        await unmade();
      }
      await again('echo 0/1');
      expect(await failure(verb('seed'))).toMatchObject({ id: 'position-before-slot' });
      await unmade();
      await again(`${psql} -d shop -q -c "DELETE FROM workload.account WHERE id = 1" >&2; echo snapshot`);
      await verb('seed');
      await verb('migrate');
      expect(await failure(verb('verify'))).toMatchObject({ id: 'data-differs' });
      await verb('abandon');
      await unmade();
      await again('echo snapshot');
      for (const each of ['seed', 'migrate', 'verify', 'abandon'] as const) await verb(each);
      await withClient({ ...candidate.superuser, database: 'shop' }, 'test', async (client) =>
        expect(await rows(client, 'SELECT FROM pg_subscription')).toEqual([]),
      );
    },
  );
});
