import type { Client } from '../../src/postgres/client.ts';

/** Makes so many tables with a key, a second index, a CHECK and a sequence each, and their statistics. */
export async function makeTables(client: Client, tables: number): Promise<void> {
  await client.query(`DO $$ BEGIN FOR i IN 1..${tables} LOOP
    EXECUTE format('CREATE TABLE t%s (id bigserial PRIMARY KEY, a text NOT NULL, b int DEFAULT 5,
      c timestamptz CHECK (c > ''2020-01-01''), d numeric(10,2))', i);
    EXECUTE format('CREATE INDEX ON t%s (b, c)', i);
    IF i % 100 = 0 THEN COMMIT; END IF;
    END LOOP; END $$`);
  await client.query('VACUUM ANALYZE');
}
