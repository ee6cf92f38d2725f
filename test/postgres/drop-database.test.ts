import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { dropDatabase } from '../../src/postgres/drop-database.ts';
import { notOfInitdb } from '../../src/postgres/maintenance.ts';
import { withDatabase } from '../support/postgres.ts';

test('of a copy no database is left that no mask reaches, whatever it is marked as', async () => {
  await withDatabase(async (client) => {
    const others = () =>
      rows(
        client,
        `SELECT datname FROM pg_database WHERE ${notOfInitdb('datname')} AND datname LIKE 'other%' ORDER BY 1`,
      );
    await client.query('CREATE DATABASE "other; one"');
    await client.query('CREATE DATABASE other_two IS_TEMPLATE true ALLOW_CONNECTIONS false');
    expect(await others()).toEqual([{ datname: 'other; one' }, { datname: 'other_two' }]);
    for (const name of ['other; one', 'other_two', 'other_two']) await dropDatabase(client, name);
    expect(await others()).toEqual([]);
  });
});
