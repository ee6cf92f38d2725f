import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { settleForClients } from '../../src/operations/settle-for-clients.ts';
import { readEnvironment } from '../../src/postgres/token.ts';
import { withBench } from '../faults/support.ts';
import { withEnvironment } from '../support/environment.ts';

test('where somebody dropped the schema of a colour, status and every verb say so, and the way that is printed works', async () => {
  await withEnvironment({ limits: { switchover: '2s' } }, async ({ environment, platform, on, verb }) => {
    const uid = await on('blue', readEnvironment);
    const troubles = async () =>
      (await readStatus(environment, platform)).troubles.map(({ id, repair }) => [id, repair]);
    const recovered: string[] = [];
    const recover = () =>
      settleForClients({
        environment,
        platform,
        emit: (event) => event.type === 'note' && recovered.push(event.text),
        signal: new AbortController().signal,
      });
    await on('blue', (client) => client.query('DROP SCHEMA verdigris CASCADE'));
    expect(await troubles()).toEqual([['own-schema-gone', '`verdigris recover`']]);
    await expect(verb('seed')).rejects.toMatchObject({ id: 'own-schema-gone', code: 'refused' });
    await recover();
    expect(recovered).toEqual([expect.stringMatching(/^the schema verdigris of blue was gone and was made again/)]);
    expect(await troubles()).toEqual([]);
    if (uid !== undefined) expect(await on('blue', readEnvironment)).toBe(uid);

    await verb('seed');
    await on('blue', async (client) => {
      await client.query('DROP SCHEMA verdigris CASCADE');
      await client.query('BEGIN');
      await client.query('LOCK TABLE pg_catalog.pg_publication_rel IN SHARE MODE');
      await expect(recover()).rejects.toThrow();
      await client.query('ROLLBACK');
    });
    // Whoever was stopped in the middle has left nothing half made.
    expect(await troubles()).toContainEqual(['own-schema-gone', '`verdigris recover`']);
    await recover();
    // Its replication goes on, and proves again what has arrived.
    expect(await troubles()).toEqual([]);
    await verb('migrate');
    await on('green', (client) => client.query('DROP TABLE verdigris.fenced_role'));
    expect((await troubles())[0]).toEqual(['own-schema-gone', '`verdigris abandon`, then seed again']);
    await expect(verb('verify')).rejects.toMatchObject({ id: 'own-schema-gone', facts: { colour: 'green' } });
    await verb('abandon');
    expect(await troubles()).toEqual([]);
  });
});

test('where it is dropped beside a command that died, `recover` makes it again and settles that command', async () => {
  await withBench({}, async (bench) => {
    const { environment, platform, on, operators, verb } = bench;
    const troubles = async () =>
      (await readStatus(environment, platform)).troubles.map(({ id, repair }) => [id, repair]);
    const recovered = async (live: 'blue' | 'green') => {
      await on(live, (client) => client.query('DROP SCHEMA verdigris CASCADE'));
      const seen = await troubles();
      expect(seen).toContainEqual(['interrupted', '`verdigris recover`']);
      expect(seen).toContainEqual(['own-schema-gone', '`verdigris recover`']);
      await bench.recover();
      expect((await troubles()).map(([id]) => id)).not.toContain('own-schema-gone');
    };
    expect(await operators.run('seed', { dieAfter: 'subscription' })).toEqual({ how: 'killed' });
    await recovered('blue');
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    expect(await operators.run('switch', { dieAfter: 'open' })).toEqual({ how: 'killed' });
    await recovered('green');
    expect(await bench.journal()).toMatchObject({ state: 'switched', operation: null });
    await verb('retire');
    expect(await troubles()).toEqual([]);
  });
});
