import { expect, test } from 'vitest';
import { one } from '../../../src/postgres/client.ts';
import { testMajor, withDatabase } from '../../support/postgres.ts';

test('a server of the major under test starts, answers as the operator, and is gone afterwards', async () => {
  const seen = await withDatabase(async (client) =>
    one(client, "SELECT current_setting('server_version_num')::int / 10000 AS major, session_user AS who"),
  );
  expect(seen).toEqual({ major: testMajor, who: 'verdigris_operator' });
});
