import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withBalancer } from '../support/balancer.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { credentials } from '../support/external.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { besides, withMonolith, type Monolith } from '../support/monolith.ts';
import { testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';

/** The balancer cuts connections where it leads elsewhere: clients are told of that, and nothing else may be wrong. */
const { errors: _, ...kept } = good;

/** To a server of others, or to `green`. */
async function withPart(
  use: (monolith: Monolith, environment: TestEnvironment) => Promise<void>,
  green: Record<string, unknown> = {},
): Promise<void> {
  await withMonolith((monolith, declared) => {
    const colours = { ...(declared['colours'] as Record<string, unknown>), ...green };
    return withEnvironment({ declaration: { ...declared, colours }, existing: credentials }, (environment) =>
      use(monolith, environment),
    );
  });
}

const refused = { code: '25006' };

/** Findings that a verb ends with, with what they name. */
async function found(done: Promise<void>): Promise<unknown> {
  return (await failure(done)).facts;
}

test('what happens to the tables beside a release is carried or named, and a writer who does not end has the switchover undone', async () => {
  await withPart(async ({ superuser, ask }, { verb, clients, on }) => {
    const { verdict } = await clients(async (workload) => {
      const going = async (): Promise<void> => {
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 50, 30_000);
      };
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      await ask('TRUNCATE workload.extra; INSERT INTO workload.extra VALUES (7)');
      await ask('ALTER TABLE public.customers ADD FOREIGN KEY (id) REFERENCES workload.extra NOT VALID');
      expect(await found(verb('switch'))).toMatchObject({ findings: [{ id: 'part-torn' }] });
      await ask('ALTER TABLE public.customers DROP CONSTRAINT customers_id_fkey');
      await withClient(superuser, 'test', async (writer) => {
        await writer.query('BEGIN; INSERT INTO workload.extra VALUES (8)');
        expect((await failure(verb('switch'))).id).toBe('fence-leaks');
        await going();
        await writer.query('INSERT INTO workload.extra VALUES (9); COMMIT');
      });
      await verb('switch');
      expect(await on('green', (client) => rows(client, 'SELECT id FROM workload.extra ORDER BY 1'))).toEqual([
        { id: 7 },
        { id: 8 },
        { id: 9 },
      ]);
      await verb('rollback');
      await verb('verify');
      await ask('ALTER TABLE workload.extra ADD COLUMN more int');
      expect(await found(verb('switch'))).toMatchObject({ findings: [{ id: 'schema-drift' }] });
      await verb('abandon');
    });
    expect(verdict).toMatchObject(good);
    await withClient(superuser, 'test', async (client) => {
      expect(await rows(client, "SELECT FROM pg_namespace WHERE nspname IN ('verdigris_fence')")).toEqual([]);
      expect(await rows(client, 'SELECT FROM pg_event_trigger')).toEqual([]);
    });
    await ask('INSERT INTO workload.extra VALUES (10)');
  });
});

test('to a server that Verdigris runs: a superuser who takes the fence away and writes behind it is found out before the way back', async () => {
  const green = { green: { release: '2', postgres: testMajor } };
  await withPart(async ({ ask }, { verb, clients, on }) => {
    const { verdict } = await clients(async () => {
      for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
      await ask('ALTER EVENT TRIGGER verdigris_fence_ddl DISABLE; ALTER EVENT TRIGGER verdigris_fence_drop DISABLE');
      await ask('DROP TRIGGER verdigris_fence ON workload.extra');
      await ask('INSERT INTO workload.extra VALUES (5000)');
      expect(await found(verb('rollback'))).toMatchObject({ findings: [{ id: 'retained-written' }] });
      await ask('DELETE FROM workload.extra WHERE id = 5000');
      await verb('rollback');
      await verb('verify');
      await verb('switch');
      await expect(ask('INSERT INTO workload.extra VALUES (5001)')).rejects.toMatchObject(refused);
    });
    expect(verdict).toMatchObject(good);
    expect(await on('green', (client) => rows(client, 'SELECT count(*)::int AS n FROM workload.extra'))).toEqual([
      { n: 1000 },
    ]);
  }, green);
});

test("clients of the part by a program of the operator's own: there and back and there under load, beside the others of the monolith", async () => {
  await withMonolith((monolith, declared) =>
    withBalancer(async ({ port, program }) => {
      const traffic = { kind: 'command', command: [program], address: `127.0.0.1:${port}` };
      const declaration = { ...declared, traffic };
      await withEnvironment({ declaration, existing: credentials }, async ({ verb, clients, platform, on }) => {
        const written = await besides(monolith, async () => {
          const { verdict } = await clients(async (workload) => {
            for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
            for (const each of ['switch', 'rollback', 'verify', 'switch', 'retire'] as const) {
              await verb(each);
              const { acknowledged } = workload.stats();
              await workload.until((stats) => stats.acknowledged > acknowledged + 50, 60_000);
            }
          });
          expect(verdict).toMatchObject(kept);
        });
        expect(written).toBeGreaterThan(100);
        expect(await monolith.waits()).toEqual([]);
        expect(await leftovers(platform, 'green', on)).toEqual(nothing);
      });
    }),
  );
});

/** A schema of its own, whose table takes rows from a trigger of the rest, and a sequence that others draw from too. */
const logged = `
  CREATE SCHEMA side;
  CREATE TABLE side.log (id int PRIMARY KEY, number bigint);
  CREATE SEQUENCE side.numbers OWNED BY side.log.number;
  ALTER TABLE side.log ALTER number SET DEFAULT nextval('side.numbers');
  CREATE FUNCTION public.logs() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO side.log VALUES (NEW.id); RETURN NEW; END';
  CREATE TRIGGER logs AFTER UPDATE ON public.customers FOR EACH ROW EXECUTE FUNCTION public.logs();`;

test('schemas renamed and exchanged, grants, roles, sequences and triggers of the rest that write into the part: carried, refused or named', async () => {
  await withMonolith(async ({ superuser, ask }, declared) => {
    await ask(logged);
    const declaration = {
      ...declared,
      part: { tables: ['workload.entry', 'workload.account', 'workload.extra', 'side.log'] },
    };
    await withEnvironment({ declaration, existing: credentials }, async ({ verb, clients, on }) => {
      const here = (sql: string) => withClient(superuser, 'test', (client) => rows(client, sql));
      const { verdict } = await clients(async () => {
        for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
        await ask('ALTER SCHEMA side RENAME TO gone');
        expect(await found(verb('switch'))).toMatchObject({ findings: [{ id: 'schema-drift' }] });
        await ask('CREATE SCHEMA side; CREATE TABLE side.log (LIKE gone.log INCLUDING ALL)');
        expect(await found(verb('switch'))).toMatchObject({
          findings: expect.arrayContaining([expect.objectContaining({ id: 'schema-drift' })]),
        });
        await ask('DROP SCHEMA side CASCADE; ALTER SCHEMA gone RENAME TO side; INSERT INTO side.log VALUES (1)');
        await ask('CREATE ROLE reporter; GRANT SELECT ON side.log TO reporter');
        expect(await found(verb('switch'))).toMatchObject({ findings: [{ id: 'schema-drift' }] });
        await ask('REVOKE SELECT ON side.log FROM reporter; DROP ROLE reporter; CREATE ROLE later LOGIN');
        await ask('UPDATE public.customers SET n = 1 WHERE id = 2');
        await verb('switch');
        for (const sql of [
          'UPDATE public.customers SET n = 1 WHERE id = 3',
          'ALTER SCHEMA side RENAME TO gone',
          'ALTER SCHEMA side OWNER TO later',
          'ALTER TABLE public.customers ADD FOREIGN KEY (id) REFERENCES workload.extra NOT VALID',
          'CREATE INDEX ON side.log (number)',
        ])
          await expect(ask(sql), sql).rejects.toMatchObject(refused);
        expect(await on('green', (client) => rows(client, 'SELECT id, number FROM side.log ORDER BY 1'))).toEqual([
          { id: 1, number: '1' },
          { id: 2, number: '2' },
        ]);
        expect(
          await on('green', (client) => rows(client, "SELECT FROM pg_roles WHERE rolname = 'later'")),
        ).toHaveLength(1);
        await here("SELECT nextval('side.numbers') FROM generate_series(1, 100000)");
        await on('green', (client) => client.query('INSERT INTO side.log VALUES (4)'));
        await ask('GRANT SELECT ON side.log TO later');
        expect(await found(verb('rollback'))).toMatchObject({ findings: [{ id: 'schema-drift' }] });
        await ask('REVOKE SELECT ON side.log FROM later');
        await verb('rollback');
        await ask('UPDATE public.customers SET n = 1 WHERE id = 5');
        const kept = await here('SELECT id, number::int FROM side.log ORDER BY 1');
        expect(kept.map(({ id }) => id)).toEqual([1, 2, 4, 5]);
        expect(kept.at(-1)?.['number']).toBeGreaterThan(100_000);
        await verb('abandon');
      });
      expect(verdict).toMatchObject(good);
    });
  });
});
