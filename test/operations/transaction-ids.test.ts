import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { one, type Client } from '../../src/postgres/client.ts';
import { advanceTransactionIds } from '../../src/postgres/transaction-ids.ts';
import { withEnvironment } from '../support/environment.ts';

const fill = async (client: Client) =>
  void (await client.query(
    'CREATE TABLE public.outbox (id int PRIMARY KEY, transaction xid8 NOT NULL DEFAULT pg_current_xact_id())',
  ));

/** Transactions that are taken back: nothing of them is sent. */
const useUp = (client: Client, some: number) =>
  client.query(`DO 'BEGIN FOR i IN 1..${some} LOOP PERFORM txid_current(); ROLLBACK; END LOOP; END'`);

test('an outbox that is read in the order of transaction ids is read on after a switchover and a rollback', async () => {
  await withEnvironment({ fill }, async ({ on, verb, platform }) => {
    const onLive = async <T>(use: (client: Client) => Promise<T>): Promise<T> =>
      on((await readJournal(platform.journal)).live, use);
    const write = (id: number) => onLive((client) => client.query('INSERT INTO public.outbox (id) VALUES ($1)', [id]));
    const order = () =>
      onLive((client) =>
        one<{ ids: number[] }>(
          client,
          'SELECT array_agg(id ORDER BY transaction::text::int8) AS ids FROM public.outbox',
        ),
      );
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    await onLive((client) => useUp(client, 30_000));
    await write(1);
    await verb('switch');
    await write(2);
    await onLive((client) => useUp(client, 30_000));
    await write(3);
    await verb('rollback');
    await write(4);
    expect((await order()).ids).toEqual([1, 2, 3, 4]);
    const far = await on('blue', async (from) => {
      await useUp(from, 20_000);
      return on('green', (to) => advanceTransactionIds(from, to, 5, new AbortController().signal, 1_000));
    });
    expect(far).toBeGreaterThan(1_000);
  });
});
