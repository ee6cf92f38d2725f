import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';
import { acts } from './acts/index.ts';
import { world } from './world.ts';
import { attempt, ready } from './trial.ts';

test('a table renamed right behind the commit point leaves nothing open; with its name back the way back is made good', async () => {
  const fill = async (client: { query(text: string): Promise<unknown> }) => void (await client.query(world));
  await withEnvironment({ fill, settings: { max_prepared_transactions: '8' } }, async (environment) => {
    const { on, operator, platform } = environment;
    const act = acts.find(({ kind }) => kind === 'table renamed');
    if (!act) throw new Error('no such act');
    await ready(environment, 'switch', false);
    const { undo: _, ...lasting } = act;
    expect(await attempt(environment, { act: lasting, verb: 'switch', step: 'route' })).toBe('carried');
    const { live, closing } = await readJournal(platform.journal);
    expect(closing).not.toBeNull();
    const [renamed] = await on(live, (client) =>
      rows<{ name: string }>(client, "SELECT relname AS name FROM pg_class WHERE relname ~ '^child[0-9]+$'"),
    );
    await on(live, (client) => client.query(`ALTER TABLE public.${renamed?.name} RENAME TO child`));
    await operator(async () => undefined);
    expect(await readJournal(platform.journal)).toMatchObject({ live, closing: null, state: 'switched' });
    const written = 'UPDATE public.item SET n = 4711';
    await on(live, (client) => client.query(written));
    await environment.verb('rollback');
    const counted = await on((await readJournal(platform.journal)).live, (client) =>
      rows<{ other: number }>(client, 'SELECT count(*)::int AS other FROM public.item WHERE n <> 4711'),
    );
    expect(counted).toEqual([{ other: 0 }]);
  });
});
