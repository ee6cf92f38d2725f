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

      const file = path.join(dataDirectory(server), 'pg_hba.conf');
      const before = await readFile(file, 'utf8');
      const rules = async (text: string) => {
        await writeFile(file, text);
        return rejectedByRule(client, roles);
      };
      const by = (line: number, ...names: string[]) => names.map((role) => ({ role, rule: { file, line } }));
      const refused = 'host postgres app 10.0.0.0/8 reject\nhost postgres app 127.0.0.0/8 reject\n';
      expect(await rules(refused + before)).toEqual(by(2, 'app'));
      const spared = 'host all app 127.0.0.1/32 scram-sha-256\nhost all all all reject\n';
      expect(await rules(spared + before)).toEqual(by(2, 'nobody', 'report'));
      // What is for other ways in, or for hosts by name, does not decide.
      const elsewhere = 'local all all reject\nhostssl all all all reject\nhost all all db.example reject\n';
      expect(await rules(elsewhere + before)).toEqual([]);
      expect(await rules(`host all all ::1/128 reject\nhostnossl all +report samenet reject\n${before}`)).toEqual(
        by(2, 'report'),
      );
      await client.query('GRANT report TO app');
      expect(await rules(`host sameuser all all trust\nhost all +report samehost reject\n${before}`)).toEqual(
        by(2, 'app', 'report'),
      );
      const [none] = [await rules('local all all trust\nhost all app all scram-sha-256\n')];
      expect(none).toEqual(['nobody', 'report'].map((role) => ({ role, rule: null })));
      const major = Math.floor(
        Number((await client.query('SHOW server_version_num')).rows[0].server_version_num) / 10_000,
      );
      if (major >= 16) {
        // Its lines are counted anew, and it stands where it is included.
        const included = path.join(dataDirectory(server), 'more.conf');
        await writeFile(included, '\n\nhost all /^ap all reject\n');
        expect(await rules(`include more.conf\nhost all all all scram-sha-256\n`)).toEqual([
          { role: 'app', rule: { file: included, line: 3 } },
        ]);
        await rules(before);
      }
      await client.query('SET ROLE app');
      expect(await seen()).toEqual([]);
    }),
  );
});
