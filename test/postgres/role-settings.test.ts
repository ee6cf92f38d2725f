import pg from 'pg';
import { expect, test } from 'vitest';
import { one, rows } from '../../src/postgres/client.ts';
import { noLimits, setForRole } from '../../src/postgres/role-settings.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { connectionTo, testMajor, withServer } from '../support/postgres.ts';

test('no limit that is set for clients reaches a login of Verdigris, wherever it is set', async () => {
  await withServer(async (server) => {
    const known = Object.keys(noLimits).filter((name) => testMajor >= 17 || name !== 'transaction_timeout');
    await withOwnSession(connectionTo(server), 'test', async (client) => {
      await client.query('CREATE ROLE "its own" LOGIN');
      await client.query('CREATE DATABASE "a b"');
      for (const name of known)
        for (const whose of ['DATABASE "a b"', 'ROLE "its own"', 'ROLE "its own" IN DATABASE "a b"'])
          await client.query(`ALTER ${whose} SET ${name} = '1min'`);
      await client.query(`ALTER ROLE "its own" IN DATABASE "a b" SET work_mem = '5MB'`);
      await setForRole(client, '"its own"', noLimits);
    });
    const plain = new pg.Client({ ...connectionTo(server, 'a b'), user: 'its own' });
    await plain.connect();
    try {
      for (const name of known)
        expect(await rows(plain, `SELECT current_setting('${name}') AS value`), name).toEqual([{ value: '0' }]);
      expect(await one(plain, 'SHOW work_mem')).toEqual({ work_mem: '5MB' });
    } finally {
      await plain.end();
    }
  });
});
