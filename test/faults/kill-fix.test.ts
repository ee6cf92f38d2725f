import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { main } from '../support/cli.ts';
import { withEnvironment } from '../support/environment.ts';
import { until, untilRow } from '../support/until.ts';

const fixing = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE%bare%' AND pid <> pg_backend_pid()";

test('preflight --apply that is killed in the middle of a fix leaves all as it was, and the next one does it', async () => {
  await withEnvironment({}, async ({ folder, home, platform, on }) => {
    const preflight = () =>
      execa(process.execPath, [main, 'preflight', '--apply', '--json'], {
        cwd: folder,
        env: { VERDIGRIS_HOME: home },
        reject: false,
      });
    const identities = () =>
      on('blue', (client) =>
        rows(client, "SELECT relname, relreplident FROM pg_class WHERE relname LIKE 'bare%' ORDER BY relname"),
      );
    await on('blue', async (client) => {
      await client.query('CREATE TABLE public.bare_one (what text); CREATE TABLE public.bare_two (what text)');
      await client.query('BEGIN; LOCK TABLE public.bare_two IN ACCESS SHARE MODE');
      const killed = preflight();
      // By a session of its own: inside a transaction pg_stat_activity stays as it was first looked at.
      await on('blue', (look) => untilRow(look, `${fixing} AND query LIKE '%bare_two%' AND wait_event_type = 'Lock'`));
      killed.kill('SIGKILL');
      await killed;
      await client.query('COMMIT');
    });
    await until('its session gone', () => on('blue', async (look) => (await rows(look, fixing)).length === 0));
    const all = (identity: string) => ['bare_one', 'bare_two'].map((relname) => ({ relname, relreplident: identity }));
    expect(await identities()).toEqual(all('d'));
    expect((await preflight()).stdout).toContain('replica-identity-missing: fixed');
    expect(await identities()).toEqual(all('f'));
    const { operation, acts = [] } = await readJournal(platform.journal);
    expect(operation).toBeNull();
    expect(acts.filter(({ verb }) => verb === 'preflight')).toHaveLength(2);
  });
});
