import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { importInto } from '../../src/operations/import-lost.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';
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
    await expect(verb('rollback', { lossy: true, acceptLoss: true })).rejects.toMatchObject({ id: 'databases-unfit' });
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
