import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { diffSchema } from '../../src/postgres/fingerprint/index.ts';
import { carrySystemSettings, readSystemSettings } from '../../src/postgres/system-settings.ts';
import { until } from '../support/until.ts';
import { withDatabase } from '../support/postgres.ts';

test('what ALTER SYSTEM sets and resets is carried; what belongs to one server, takes a restart or is not taken is not', async () => {
  await withDatabase((from) =>
    withDatabase(async (to) => {
      const set = async (...statements: string[]): Promise<void> => {
        for (const statement of statements) await from.query(statement);
      };
      await set("ALTER SYSTEM SET work_mem = '7MB'");
      await to.query("ALTER SYSTEM SET work_mem = '7MB'");
      const before = await readSystemSettings(from);
      await set(
        'ALTER SYSTEM RESET work_mem',
        "ALTER SYSTEM SET search_path = 'app', 'public'",
        "ALTER SYSTEM SET synchronous_standby_names = 'elsewhere'",
        "ALTER SYSTEM SET archive_command = 'cp %p /elsewhere/%f'",
        'ALTER SYSTEM SET max_connections = 4711',
      );
      const changes = diffSchema(before, await readSystemSettings(from));
      expect((await carrySystemSettings(from, to, changes)).toSorted()).toEqual(['search_path', 'work_mem']);
      expect(
        await rows(to, "SELECT name, setting FROM pg_file_settings WHERE sourcefile ~ 'auto[.]conf$' ORDER BY name"),
      ).toEqual([{ name: 'search_path', setting: 'app, public' }]);
      await until('the reload', async () => {
        const [now] = await rows<{ is: boolean }>(
          to,
          "SELECT reset_val LIKE '%app%' AS is FROM pg_settings WHERE name = 'search_path'",
        );
        return now?.is === true;
      });
    }),
  );
});
