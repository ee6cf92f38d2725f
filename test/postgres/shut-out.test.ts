import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dataDirectory } from '../../src/platform/local/server.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { rejectedByRule, shutOut } from '../../src/postgres/shut-out.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

test('a role that nobody can log in as is named, with what closes it', async () => {
  await withServer((server) =>
    withOwnSession(connectionTo(server), 'test', async (client) => {
      await client.query(
        'CREATE ROLE app LOGIN; CREATE ROLE report NOLOGIN; CREATE ROLE report_1 LOGIN IN ROLE report',
      );
      const roles = ['app', 'report', 'nobody'];
      const seen = async () => [...(await shutOut(client, roles)), ...(await rejectedByRule(client, roles))];
      expect(await seen()).toEqual([]);
      await client.query('ALTER ROLE report_1 NOLOGIN');
      expect(await seen()).toEqual([{ role: 'report' }]);
      await client.query('CREATE ROLE ann LOGIN; GRANT report_1 TO ann');
      expect(await seen()).toEqual([]);
      await client.query('DROP ROLE ann; ALTER ROLE report_1 LOGIN');

      const hba = path.join(dataDirectory(server), 'pg_hba.conf');
      const before = await readFile(hba, 'utf8');
      await writeFile(hba, `host postgres app 10.0.0.0/8 reject\nhost postgres app 127.0.0.0/8 reject\n${before}`);
      expect(await seen()).toEqual([{ role: 'app', line: 2 }]);
      await writeFile(hba, `host all app 127.0.0.1/32 scram-sha-256\nhost all all all reject\n${before}`);
      expect(await seen()).toEqual([
        { role: 'nobody', line: 2 },
        { role: 'report', line: 2 },
      ]);
      await client.query('SET ROLE app');
      expect(await seen()).toEqual([]);
    }),
  );
});
