import { expect, test } from 'vitest';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';

test('tables that somebody made in the database postgres are named before a seed: nothing follows what is written there', async () => {
  await withEnvironment({}, async ({ platform, verb }) => {
    const settings = { ...(await platform.servers.connection('blue')), database: 'postgres' };
    await withClient(settings, 'test', (client) => client.query('CREATE TABLE stray (id int)'));
    await expect(verb('seed')).rejects.toMatchObject({
      id: 'gate-refused',
      facts: { findings: [{ id: 'other-databases', objects: ['postgres: table public.stray'] }] },
    });
  });
});
