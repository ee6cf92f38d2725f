import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { declaration, withCli } from '../support/cli.ts';

const green = (migrations: string) => ({
  ...declaration,
  colours: { ...declaration.colours, green: { ...declaration.colours.green, migrations } },
});

test('a pipeline releases by exit codes and JSON; plans and dry runs change nothing; an environment is made once and destroyed whole', async () => {
  await withCli(async ({ run, declare, migrations, home }) => {
    expect(await run('status', '--json')).toMatchObject({ exitCode: 4, error: { id: 'no-environment' } });
    await migrations('m', { '0001_t.sql': 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)' });
    await declare(green('./m'));
    expect(await run('create', '--json')).toMatchObject({ exitCode: 0, result: { created: true } });
    expect(await run('create', '--json')).toMatchObject({ exitCode: 0, result: { created: false } });
    expect(await run('preflight', '--json')).toMatchObject({ exitCode: 0 });
    const plan = await run('plan', '--json');
    expect((plan.result?.['plan'] as { verb: string }[]).map(({ verb }) => verb)).toEqual([
      'seed',
      'migrate',
      'verify',
    ]);
    expect(await run('seed', '--dry-run', '--json')).toMatchObject({
      exitCode: 0,
      result: { dryRun: true, verb: 'seed', pauseMs: 0 },
    });
    expect(await run('switch', '--dry-run', '--json')).toMatchObject({ exitCode: 4, error: { id: 'wrong-state' } });
    expect(await run('status', '--json')).toMatchObject({ result: { state: 'single', live: 'blue' } });

    expect(await run('release', '--reason', 'ticket 17', '--json')).toMatchObject({
      exitCode: 0,
      result: { state: 'verified', live: 'blue' },
    });
    expect(await run('plan', '--json')).toMatchObject({ result: { plan: [] } });
    await declare({ ...green('./m'), live: 'green' });
    expect(await run('release', '--json')).toMatchObject({
      exitCode: 0,
      result: { state: 'switched', live: 'green', losslessRollback: true },
    });
    const text = await run('status');
    for (const part of ['shop is switched', 'retained', 'blue', 'green', 'lossless', 'verdigris rollback'])
      expect(text.stdout).toContain(part);
    expect(text.stdout.split('\n').length).toBeLessThan(24);
    const accepted = { ...declaration, live: 'green', colours: { green: declaration.colours.green } };
    await declare({ ...accepted, retention: { retained: '1h' } });
    expect(await run('release', '--json')).toMatchObject({ exitCode: 4, error: { id: 'gate-refused' } });
    // Without a retention of its own, leaving the colour out is the acceptance.
    await declare(accepted);
    expect(await run('release', '--json')).toMatchObject({
      exitCode: 0,
      result: { state: 'single', live: 'green' },
    });
    // The declaration as it was, with and without `live`: the release that was left is not planned again.
    for (const live of ['green', 'blue']) {
      await declare({ ...green('./m'), live });
      expect(await run('plan', '--json')).toMatchObject({ exitCode: 0, result: { plan: [] } });
    }
    expect((await run('history')).stdout).toMatch(/seed +by \S+@\S+, .* ago\): ticket 17\n[^]*retire +by \S+@\S+/);
    expect((await run('history')).stdout).toMatch(/1 → 2 +released[^]*sql: 0001 t +\S+exports\/migrate-2-/);
    expect(await run('destroy', '--json')).toMatchObject({ exitCode: 4, error: { id: 'destroy-unconfirmed' } });
    expect(await run('destroy', '--yes', '--json')).toMatchObject({ exitCode: 0 });
    expect(await readdir(home)).not.toContain('shop');
  });
});

test('bad migrations: each a clear error, the live colour untouched, the candidate resumable', async () => {
  await withCli(async ({ run, declare, migrations, folder }) => {
    await run('create');
    await migrations('m', {});
    await migrations('twice', { '0001_a.sql': 'SELECT 1', '1_b.sql': 'SELECT 2' });
    const folders = { './missing': 'migrations-missing', './m': 'migrations-empty', './twice': 'migration-duplicate' };
    const isRefused = async (verb: string) => {
      for (const [at, id] of Object.entries(folders)) {
        await declare(green(at));
        expect(await run(verb, '--json')).toMatchObject({ exitCode: 3, error: { id } });
      }
    };
    // Before a seed, which may take an hour.
    await isRefused('release');
    await isRefused('seed');
    expect(await run('status', '--json')).toMatchObject({ result: { state: 'single', live: 'blue' } });
    // And to whom the folder changed under a candidate that is there.
    await migrations('ok', { '0001_a.sql': 'SELECT 1' });
    await declare(green('./ok'));
    expect(await run('seed', '--json')).toMatchObject({ exitCode: 0 });
    await isRefused('migrate');

    await migrations('m', {
      '0001_t.sql': 'CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 1), (2, 1)',
      '0002_half.sql': 'CREATE TABLE half (id int PRIMARY KEY);\nSELECT 1/0;',
    });
    await declare(green('./m'));
    const refused = {
      exitCode: 1,
      error: {
        id: 'migration-failed',
        seen: expect.stringContaining('0002_half.sql:2: division by zero'),
        next: expect.stringContaining('nothing is applied'),
      },
    };
    expect(await run('migrate', '--json')).toMatchObject(refused);
    expect(await run('status', '--json')).toMatchObject({ result: { state: 'seeded', live: 'blue' } });

    // What only fails outside a transaction cannot be tried beforehand.
    await migrations('m', {
      '0002_half.sql': 'CREATE INDEX CONCURRENTLY t_id ON t (id);\nVACUUM missing',
    });
    expect(await run('migrate', '--json')).toMatchObject({
      exitCode: 1,
      error: {
        id: 'migration-failed',
        seen: expect.stringContaining('0002_half.sql:2'),
        next: expect.stringContaining('resumed'),
      },
    });
    expect(await run('status', '--json')).toMatchObject({ result: { state: 'seeded', live: 'blue' } });
    await writeFile(path.join(folder, 'm', '0001_t.sql'), 'CREATE TABLE other (id int PRIMARY KEY)');
    expect(await run('migrate', '--json')).toMatchObject({ exitCode: 3, error: { id: 'migration-changed' } });
    await migrations('m', {
      '0001_t.sql': 'CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 1), (2, 1)',
    });
    expect(await run('migrate', '--json')).toMatchObject({ exitCode: 1, error: { id: 'migration-failed' } });
    expect(await run('abandon', '--json')).toMatchObject({ exitCode: 0, result: { state: 'single', live: 'blue' } });
  });
});

test('a damaged journal is refused with what to do, and the revision before it, put back, is enough', async () => {
  await withCli(async ({ run, home }) => {
    await run('create');
    await run('seed');
    const journal = path.join(home, 'shop', 'journal');
    const newest = path.join(
      journal,
      (await readdir(journal))
        .filter((name) => /^\d/.test(name))
        .sort()
        .at(-1) ?? '',
    );
    const text = await readFile(newest, 'utf8');
    for (const [damaged, id] of [
      [text.slice(0, 200), 'journal-cut'],
      [text.replace('"seeded"', '"switched"'), 'journal-edited'],
      [text.replace('"version": 1', '"version": 9'), 'journal-newer'],
    ] as const) {
      await writeFile(newest, damaged);
      for (const verb of ['status', 'migrate', 'abandon'])
        expect(await run(verb, '--json')).toMatchObject({ exitCode: 4, error: { id } });
    }
    await writeFile(newest, text);
    expect(await run('abandon', '--json')).toMatchObject({ exitCode: 0 });
  });
});

test('usage: what is wrong is said, and nothing is done', async () => {
  await withCli(async ({ run, declare }) => {
    expect(await run('nonsense')).toMatchObject({ exitCode: 2 });
    expect(await run('seed', '--file', 'elsewhere.yaml', '--json')).toMatchObject({
      exitCode: 2,
      error: { id: 'no-declaration' },
    });
    await declare('{ not: [yaml');
    expect(await run('status', '--json')).toMatchObject({ exitCode: 3, error: { id: 'declaration-syntax' } });
    await declare({ ...declaration, live: 'red', typo: 1 });
    expect(await run('status', '--json')).toMatchObject({ exitCode: 3, error: { id: 'declaration-invalid' } });
    await declare(declaration);
    await run('create');
    expect(await run('seed', 'red', '--json')).toMatchObject({ exitCode: 2, error: { id: 'no-such-colour' } });
    expect(await run('seed', 'blue', '--json')).toMatchObject({ exitCode: 2, error: { id: 'candidate-is-live' } });
    expect(await run('canary', '--weight', '101')).toMatchObject({ exitCode: 2 });
    for (const verb of ['migrate', 'verify', 'canary', 'switch', 'rollback', 'retire', 'abandon'])
      expect(await run(verb, '--json')).toMatchObject({ exitCode: 4, error: { id: 'wrong-state' } });
    expect((await run('switch', '--help')).stdout).toContain('commit point');
  });
});
