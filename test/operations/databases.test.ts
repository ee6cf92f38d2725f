import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { importInto } from '../../src/operations/import-lost.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';
import { untilRow } from '../support/until.ts';
import { failure } from '../support/failure.ts';
import { fillBilling, inBilling, wholeReleaseOfBoth } from '../support/two-databases.ts';

const two = { databases: ['billing'] };

test('two databases are released together under load, there and back and there: nothing is lost in either', async () => {
  await withEnvironment({ declaration: two }, async (environment) => {
    await inBilling(environment, 'blue', fillBilling);
    await wholeReleaseOfBoth(environment);
  });
});

test('what is not right in one database stops the release of both, by its name; one that nobody declares is refused', async () => {
  await withEnvironment({ declaration: two }, async (environment) => {
    const { verb, on, platform } = environment;
    await inBilling(environment, 'blue', fillBilling);
    await on('blue', (client) => client.query('CREATE DATABASE crm'));
    await expect(verb('seed')).rejects.toMatchObject({ id: 'gate-refused', seen: expect.stringContaining('crm') });
    await on('blue', (client) => client.query('DROP DATABASE crm'));
    for (const each of ['seed', 'migrate'] as const) await verb(each);

    await inBilling(environment, 'blue', (client) => client.query('DROP SCHEMA verdigris CASCADE'));
    const { troubles } = await readStatus(environment.environment, platform);
    expect(troubles).toContainEqual(expect.objectContaining({ id: 'own-schema-gone', repair: '`verdigris recover`' }));
    await expect(verb('verify')).rejects.toMatchObject({
      id: 'own-schema-gone',
      seen: expect.stringContaining('blue, database billing,'),
    });
    await environment.operator(async () => undefined);

    await inBilling(environment, 'green', (client) =>
      client.query('UPDATE workload.account SET balance = balance + 1'),
    );
    await expect(verb('verify')).rejects.toMatchObject({
      id: 'data-differs',
      seen: expect.stringContaining('In the database billing: '),
    });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'migrated' });
    await expect(verb('switch')).rejects.toMatchObject({ id: 'wrong-state' });
    await inBilling(environment, 'green', (client) =>
      client.query('UPDATE workload.account SET balance = balance - 1'),
    );
    await verb('verify');

    await inBilling(environment, 'blue', (client) => client.query('CREATE TABLE public.late (id int PRIMARY KEY)'));
    await expect(verb('switch')).rejects.toMatchObject({
      id: 'gate-refused',
      seen: expect.stringMatching(/billing: .*schema.*late/s),
    });
    await inBilling(environment, 'blue', (client) => client.query('DROP TABLE public.late'));
    const declared = { ...environment.environment, databases: [] };
    await expect(
      withOperator(
        { environment: declared, platform, emit: () => undefined, signal: new AbortController().signal },
        'switch',
        (c) => perform(c, 'switch'),
      ),
    ).rejects.toMatchObject({ id: 'databases-unfit' });
    await verb('switch');
    const hotfix = 'CREATE TABLE public.hotfix (id int PRIMARY KEY, note text)';
    const written = (client: Client) => rows(client, 'SELECT * FROM public.hotfix');
    await inBilling(environment, 'green', (client) =>
      client.query(`${hotfix}; INSERT INTO public.hotfix VALUES (1, 'of billing')`),
    );
    await verb('rollback');
    const file = (await readJournal(platform.journal)).release?.exported?.file ?? '';
    // The first database has such a table too.
    await on('blue', (client) => client.query(hotfix));
    await inBilling(environment, 'blue', (client) => client.query(hotfix));
    expect(await environment.operator((c) => importInto(c, file))).toEqual({ rows: 1, tables: 1 });
    expect(await inBilling(environment, 'blue', written)).toEqual([{ id: 1, note: 'of billing' }]);
    expect(await on('blue', written)).toEqual([]);
  });
});

test('where the way back of one database is lost, a lossy rollback takes both back, and what each lacks comes back by its files', async () => {
  const kept = 'CREATE TABLE public.kept (id serial PRIMARY KEY, v text); GRANT ALL ON public.kept TO shop_app';
  await withEnvironment({ declaration: two, fill: async (c) => void (await c.query(kept)) }, async (environment) => {
    const { verb, on, platform } = environment;
    await inBilling(environment, 'blue', async (client) => {
      await fillBilling(client);
      await client.query(kept);
    });
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    const name = (await readJournal(platform.journal)).stream?.databases?.['billing']?.name ?? '';
    await inBilling(environment, 'blue', (client) => client.query(`ALTER SUBSCRIPTION ${name} DISABLE`));
    await inBilling(environment, 'green', async (client) => {
      await untilRow(client, 'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND NOT active', [name]);
      await client.query('SELECT pg_drop_replication_slot($1)', [name]);
    });
    const write = (n: number) => (client: Client) =>
      client.query(`INSERT INTO public.kept (v) SELECT 'green' FROM generate_series(1, ${n})`);
    await on('green', write(2));
    await inBilling(environment, 'green', write(3));
    const alone = 'CREATE TABLE public.alone (id int PRIMARY KEY); INSERT INTO public.alone VALUES (7)';
    await inBilling(environment, 'green', (client) => client.query(alone));
    const status = await readStatus(environment.environment, platform);
    expect(status).toMatchObject({ losslessRollback: false });
    expect(status.next).toContainEqual(expect.objectContaining({ verb: 'rollback', kind: 'lossy' }));

    await on('blue', (client) => untilRow(client, 'SELECT FROM public.kept HAVING count(*) = 2'));
    const consent = await failure(verb('rollback', { lossy: true }));
    expect(consent).toMatchObject({
      id: 'consent-missing',
      facts: {
        losses: expect.arrayContaining([
          { table: 'billing: public.kept', inserted: 3, updated: 0, deleted: 0 },
        ]) as unknown,
        leftBehind: [{ table: 'billing: public.alone', inserted: 1 }],
        besides: expect.arrayContaining(['billing: added table public.alone']) as unknown,
      },
    });
    await verb('rollback', { lossy: true, acceptLoss: true });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'blue', liveRelease: '1' });
    const found = (client: Client) => rows(client, 'SELECT count(*)::int AS n, max(v) AS v FROM public.kept');
    // What still followed has lost nothing.
    expect(await on('blue', found)).toEqual([{ n: 2, v: 'green' }]);
    expect(await inBilling(environment, 'blue', found)).toEqual([{ n: 0, v: null }]);
    expect(await inBilling(environment, 'blue', (client) => rows(client, 'SELECT FROM pg_subscription'))).toEqual([]);

    const [entry] = await platform.history.list();
    const files = entry?.reports ?? [];
    expect(files).toHaveLength(3);
    await inBilling(environment, 'blue', (client) => client.query('CREATE TABLE public.alone (id int PRIMARY KEY)'));
    for (const file of files) await environment.operator((c) => importInto(c, file));
    expect(await on('blue', found)).toEqual([{ n: 2, v: 'green' }]);
    expect(await inBilling(environment, 'blue', found)).toEqual([{ n: 3, v: 'green' }]);
    expect(await inBilling(environment, 'blue', (client) => rows(client, 'SELECT * FROM public.alone'))).toEqual([
      { id: 7 },
    ]);
    // Numbers that were handed out on green are not handed out again.
    await inBilling(environment, 'blue', write(1));
    expect(await inBilling(environment, 'blue', found)).toEqual([{ n: 4, v: 'green' }]);
    await verb('seed');
    await verb('abandon');
  });
});
