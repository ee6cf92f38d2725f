import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dataDirectory, openDoor, serverPid } from '../../../src/platform/local/server.ts';
import { one } from '../../../src/postgres/client.ts';
import { withOwnSession } from '../../../src/postgres/session.ts';
import { connectionTo, testMajor, withDatabase, withServer } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

test('a server of the major under test starts, answers as the operator, and is gone afterwards', async () => {
  const seen = await withDatabase(async (client) =>
    one(client, "SELECT current_setting('server_version_num')::int / 10000 AS major, session_user AS who"),
  );
  expect(seen).toEqual({ major: testMajor, who: 'verdigris_operator' });
});

test("root's servers run under an ordinary account, anybody else's under his own", async () => {
  await withServer(async (server) => {
    const { uid } = await stat(`/proc/${await serverPid(server)}`);
    expect(uid).not.toBe(0);
    expect(uid).toBe(server.account?.uid ?? process.getuid?.());
  });
});

test('a server that somebody closed to all, or whose socket is gone, can be reached again', async () => {
  await withServer(async (server) => {
    const hba = path.join(dataDirectory(server), 'pg_hba.conf');
    const answers = (): Promise<boolean> =>
      withOwnSession(connectionTo(server), 'test', async () => true).catch(() => false);
    await openDoor(server);
    await writeFile(hba, `local all all reject\n${await readFile(hba, 'utf8')}`);
    process.kill((await serverPid(server)) ?? 0, 'SIGHUP');
    await until('nobody is let in', async () => !(await answers()));
    await openDoor(server);
    await until('its own rules come first', answers);
    await rm(path.join(server.sockets, `.s.PGSQL.${server.port}`));
    expect(await answers()).toBe(false);
    await openDoor(server);
    expect(await answers()).toBe(true);
  });
});
