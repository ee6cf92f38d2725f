import { execa } from 'execa';
import { expect, test } from 'vitest';
import { judgeFix } from '../../src/operations/fixes/judge.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { main } from '../support/cli.ts';
import { withEnvironment } from '../support/environment.ts';
import { atTerminal } from '../support/pty.ts';

test('a fix is safe where it changes the catalogue alone and can be set back; everything else is left to a person', async () => {
  expect(await judgeFix('-- the whole row:\nALTER TABLE "é"."t" REPLICA IDENTITY FULL;\nANALYZE a.b;')).toEqual({
    statements: ['ALTER TABLE "é"."t" REPLICA IDENTITY FULL', 'ANALYZE a.b'],
  });
  for (const fix of [
    'ALTER TABLE t REPLICA IDENTITY FULL;\nALTER TABLE t ADD COLUMN k bigint PRIMARY KEY;',
    'ALTER TABLE t REPLICA IDENTITY FULL, DROP COLUMN c;',
    'ALTER TABLE t SET LOGGED;',
    'VACUUM FULL t;',
    'ALTER SYSTEM SET wal_level = logical;',
    'SELECT pg_terminate_backend(7);',
    'DROP INDEX i;',
    '-- or correct the declaration:\nCREATE ROLE r LOGIN;',
    'Declare PostgreSQL 17 or later for the candidate.',
    '-- nothing to run',
  ])
    expect(await judgeFix(fix)).toHaveProperty('why');
});

test('preflight --apply shows and asks, fixes what is safe and names the rest, once; a lock that somebody holds leaves all as it was', async () => {
  await withEnvironment({}, async (shop) => {
    const { folder, home, on } = shop;
    const env = { VERDIGRIS_HOME: home };
    const preflight = async (...flags: string[]) => {
      const { exitCode, stdout } = await execa(process.execPath, [main, 'preflight', '--json', ...flags], {
        cwd: folder,
        env,
        reject: false,
      });
      const lines = stdout.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
      const { result } = lines.find(({ type }) => type === 'result') as { result: { findings: { id: string }[] } };
      return { exitCode, stdout, result, ids: result.findings.map(({ id }) => id) };
    };
    await on('blue', async (client) => {
      await client.query(
        'CREATE TABLE public.log (what text); CREATE UNLOGGED TABLE public.cache (id int PRIMARY KEY)',
      );
      await client.query('BEGIN; LOCK TABLE public.log IN ACCESS SHARE MODE');
      const locked = await preflight('--apply');
      expect(locked).toMatchObject({ exitCode: 4, result: { applied: [] } });
      expect(locked.stdout).toContain('replica-identity-missing: not fixed, nothing of it was changed: ');
      await client.query('COMMIT');
    });

    const no = atTerminal(['preflight', '--apply'], folder, env);
    await no.shows('ALTER TABLE "public"."log" REPLICA IDENTITY FULL;');
    await no.shows('Run 1 statement on the live colour? [y/N]');
    no.types('n\r');
    expect(await no.ended).toBe(4);
    expect((await preflight()).ids).toContain('replica-identity-missing');

    const yes = atTerminal(['preflight', '--apply', '--reason', 'ticket 9'], folder, env);
    await yes.shows('[y/N]');
    yes.types('y\r');
    expect(await yes.ended).toBe(4);
    expect(yes.shown()).toContain('replica-identity-missing: fixed');
    expect(yes.shown()).toMatch(/unlogged-tables is left to you, since .*: ALTER TABLE "public"."cache" SET LOGGED/);
    const after = await preflight('--apply');
    expect(after).toMatchObject({ exitCode: 4, result: { applied: [] } });
    expect(after.ids).not.toContain('replica-identity-missing');
    expect((await readJournal(shop.platform.journal)).acts?.at(-1)).toMatchObject({
      verb: 'preflight',
      reason: 'ticket 9 ALTER TABLE "public"."log" REPLICA IDENTITY FULL;',
    });
  });
});
