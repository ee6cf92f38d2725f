import { expect, test } from 'vitest';
import { connectionTo, withDatabase } from '../../support/postgres.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { checks, type Gate, type Side } from '../../../src/postgres/preflight/index.ts';
import { document } from '../../docs/sources.ts';
import { findingsOf, sound } from './support.ts';

const sides: readonly Side[] = ['live', 'candidate'];
const gates: readonly Gate[] = ['seed', 'migrate', 'switch'];

test('a clean database has nothing against it, at any gate and on either side', async () => {
  await withDatabase(async (client, server) => {
    await client.query(`
      CREATE ROLE app LOGIN; CREATE ROLE reports LOGIN;
      CREATE TYPE mood AS ENUM ('a', 'b');
      CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood mood);
      CREATE TABLE orders (id bigserial PRIMARY KEY, customer bigint REFERENCES customers, total numeric,
      twice numeric GENERATED ALWAYS AS (total * 2) STORED, at date);
      CREATE TABLE events (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
      CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
      CREATE VIEW totals AS SELECT customer, sum(total) FROM orders GROUP BY 1; CREATE MATERIALIZED VIEW m AS SELECT * FROM totals;
      CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := lower(NEW.name); PERFORM count(*) FROM orders; RETURN NEW; END $$;
      CREATE TRIGGER touch BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION touch();
      INSERT INTO customers (name) VALUES ('A'); ANALYZE;
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO reports; GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO reports`);
    await withClient(connectionTo(server, 'test', 'app'), 'app', async () => {
      for (const side of sides)
        for (const gate of gates) {
          if (side === 'candidate' && gate !== 'seed') await client.query('ALTER ROLE app NOLOGIN');
          const findings = await findingsOf(client, {
            side,
            gate,
            roles: { application: ['app'], readers: ['reports'] },
          });
          expect(
            findings.filter(({ grade }) => grade !== 'info'),
            `${side} at ${gate}`,
          ).toEqual([]);
          expect(
            findings.every(
              ({ objects, title, reason, fix }) => objects.length > 0 && title !== '' && reason !== '' && fix !== '',
            ),
          ).toBe(true);
        }
    });
  }, sound);
});

test('the registry: ids are unique and kebab-case', () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  for (const { id } of checks) expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
});

test('docs/hazards.md names for each hazard the findings of exactly those checks that name it, and no hazard is unanswered', () => {
  const rows = [...document('docs/hazards.md').matchAll(/^\| (\d+) \| .* \| .* \| (.*) \| (.*) \|$/gm)].map(
    ([, number, findings = '', elsewhere = '']) => ({ number: Number(number), findings: named(findings), elsewhere }),
  );
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, at) => at + 1));
  expect(checks.flatMap(({ hazards }) => hazards).filter((hazard) => !rows[hazard - 1])).toEqual([]);
  for (const { number, findings, elsewhere } of rows) {
    const answering = checks.filter(({ hazards }) => hazards.includes(number));
    const given = new Set(answering.flatMap((check) => check.findings));
    expect(findings.sort(), `row ${number} of docs/hazards.md names what its checks find`).toEqual([...given].sort());
    expect(given.size > 0 || elsewhere !== '–', `hazard ${number}`).toBe(true);
  }
});

function named(links: string): string[] {
  return [...links.matchAll(/\(findings\.md#([a-z0-9-]+)\)/g)].map(([, id = '']) => id);
}
