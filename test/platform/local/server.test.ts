import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { serverPid } from '../../../src/platform/local/server.ts';
import { one } from '../../../src/postgres/client.ts';
import { testMajor, withDatabase, withServer } from '../../support/postgres.ts';

test('a server of the major under test starts, answers as the operator, and is gone afterwards', async () => {
  const seen = await withDatabase(async (client) =>
    one(client, "SELECT current_setting('server_version_num')::int / 10000 AS major, session_user AS who"),
  );
  expect(seen).toEqual({ major: testMajor, who: 'verdigris_operator' });
});

test('root’s servers run under an ordinary account, anybody else’s under his own', async () => {
  await withServer(async (server) => {
    const { uid } = await stat(`/proc/${await serverPid(server)}`);
    expect(uid).not.toBe(0);
    expect(uid).toBe(server.account?.uid ?? process.getuid?.());
  });
});
