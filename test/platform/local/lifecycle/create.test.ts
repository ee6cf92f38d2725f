import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createLocal } from '../../../../src/platform/local/lifecycle/create.ts';
import { LocalPlatform } from '../../../../src/platform/local/platform.ts';
import { rows } from '../../../../src/postgres/client.ts';
import { withEnvironment } from '../../../support/environment.ts';

test('an environment whose journal is lost is not taken for one that was never made: its data stays', async () => {
  await withEnvironment({}, async ({ environment, platform, on }) => {
    await on('blue', (client) => client.query('CREATE TABLE precious (id int PRIMARY KEY)'));
    await rm(platform.places.journal, { recursive: true });
    await expect(createLocal(environment, platform, { raw: {} })).rejects.toMatchObject({
      code: 'refused',
      id: 'journal-lost',
    });
    expect(await on('blue', (client) => rows(client, "SELECT to_regclass('precious') IS NOT NULL AS there"))).toEqual([
      { there: true },
    ]);
  });
});

test('what does not load leaves nothing running', async () => {
  await withEnvironment({}, async ({ environment, platform }) => {
    const second = { ...environment, name: 'second' };
    const other = await LocalPlatform.open(second, platform.places.home);
    await expect(
      createLocal(second, other, { raw: {}, fill: (client) => client.query('SELECT 1/0').then(() => undefined) }),
    ).rejects.toThrow('division by zero');
    expect(await other.servers.observe('blue')).toBeUndefined();
    expect(await other.journal.read()).toBeUndefined();
  });
});
