import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { operatorRole } from '../../../src/model/names.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { dropOpened, fenceTables, openTables, requireFencedTables } from '../../../src/postgres/part/fence.ts';
import { closedTables, namedAsFence } from '../../../src/postgres/part/fence-state.ts';
import { lockTimeouts } from '../../../src/postgres/lock-timeout.ts';
import { readLens } from '../../../src/postgres/part/lens.ts';
import { describePart, readPart } from '../../../src/postgres/part/read.ts';
import { withClient, withOwnSession } from '../../../src/postgres/session.ts';
import { failure } from '../../support/failure.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';
import { untilRow } from '../../support/until.ts';

const tables = ['public.orders', 'public.lines'];

async function withOrders(
  use: (client: Client, another: <T>(work: (client: Client) => Promise<T>) => Promise<T>) => Promise<void>,
): Promise<void> {
  await withDatabase(async (client, server) => {
    await client.query(`CREATE TABLE public.orders (id int PRIMARY KEY, v int);
      CREATE TABLE public.lines (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE public.lines_1 PARTITION OF public.lines FOR VALUES FROM (0) TO (9);
      CREATE VIEW public.shown AS SELECT * FROM public.orders; CREATE TABLE public.others (id int PRIMARY KEY);
      CREATE TABLE public.roots (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
      INSERT INTO public.orders VALUES (1, 1); CREATE ROLE owner1 LOGIN SUPERUSER;`);
    const as = (user: string) => ({ ...connectionTo(server, 'test'), user });
    // As the steps of a release see it.
    const lens = await withOwnSession(as(operatorRole), 'test', async (own) => {
      await ensureControlSchema(own);
      return readLens(own, (await readPart(own, tables)).cut.carried);
    });
    await withOwnSession({ ...as(operatorRole), lens }, 'test', (operator) =>
      use(operator, (work) => withClient(as('owner1'), 'test', work)),
    );
  });
}

/** Whatever a writer may try, a superuser too. */
const writes = [
  'INSERT INTO public.orders VALUES (2, 2)',
  'UPDATE public.orders SET v = 2',
  'DELETE FROM public.orders',
  'TRUNCATE public.orders',
  'INSERT INTO public.lines VALUES (1)',
  'INSERT INTO public.lines_1 VALUES (1)',
  'UPDATE public.shown SET v = 3',
  'WITH gone AS (DELETE FROM public.orders RETURNING id) SELECT * FROM gone',
  'MERGE INTO public.orders USING (VALUES (1)) AS s(id) ON orders.id = s.id WHEN MATCHED THEN DELETE',
  'SET session_replication_role = replica; DELETE FROM public.orders',
  'ALTER TABLE public.orders DISABLE TRIGGER verdigris_fence',
  'ALTER TABLE public.orders DISABLE TRIGGER ALL; DELETE FROM public.orders',
  'DROP TRIGGER verdigris_fence ON public.orders',
  'DROP TABLE public.orders CASCADE',
  'DROP SCHEMA public CASCADE',
  'ALTER TABLE public.orders ADD COLUMN more int',
  'ALTER TABLE public.lines DETACH PARTITION public.lines_1',
  'CREATE TABLE public.lines_2 PARTITION OF public.lines FOR VALUES FROM (10) TO (19)',
  'ALTER TABLE public.orders RENAME TO gone',
  'CREATE POLICY p ON public.orders USING (true)',
  'CREATE INDEX ON public.orders (v)',
  'ALTER INDEX public.orders_pkey RENAME TO other',
  'ALTER SCHEMA public RENAME TO other',
  'CREATE TABLE public.fresh (id int REFERENCES public.orders)',
  'ALTER TABLE public.others ADD FOREIGN KEY (id) REFERENCES public.orders NOT VALID',
  'ALTER TABLE public.roots ATTACH PARTITION public.orders FOR VALUES FROM (0) TO (9)',
];

test('closed tables refuse every writer and every change, and the rest of the database serves on', async () => {
  await withOrders(async (client, another) => {
    await fenceTables(client, 1, tables, 10_000);
    for (const sql of writes)
      expect(
        await another(async (other) =>
          other.query(sql).then(
            () => 'done',
            (error: { code?: string }) => error.code,
          ),
        ),
        sql,
      ).toBe('25006');
    await another(async (other) => {
      expect(await rows(other, 'SELECT id, v FROM public.orders')).toEqual([{ id: 1, v: 1 }]);
      await other.query('INSERT INTO public.others VALUES (1); CREATE TABLE public.fresh (); DROP TABLE public.fresh');
      await other.query('REINDEX TABLE CONCURRENTLY public.orders');
    });
    await fenceTables(client, 1, tables, 10_000);
    await openTables(client, 1, tables, 10_000);
    await another((other) =>
      other.query('INSERT INTO public.orders VALUES (2, 2); ALTER TABLE public.orders ADD COLUMN more int'),
    );
    await expect(requireFencedTables(client, tables)).rejects.toMatchObject({ id: 'part-open' });
    expect(await dropOpened(client)).toEqual([]);
    expect(await rows(client, "SELECT FROM ONLY pg_namespace WHERE nspname = 'verdigris_fence'")).toEqual([]);
    expect(await rows(client, 'SELECT FROM ONLY pg_event_trigger')).toEqual([]);
  });
});

test('a transaction that has written is waited for, and nobody waits for long behind that; a reader is not waited for', async () => {
  await withOrders(async (client, another) => {
    await another(async (reader) => {
      await reader.query('BEGIN; SELECT * FROM public.orders');
      await another(async (writer) => {
        await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO public.orders VALUES (5, 5)');
        let given = false;
        const closing = failure(fenceTables(client, 1, tables, 4_000)).finally(() => (given = true));
        await another(async (third) => {
          await third.query('INSERT INTO public.orders VALUES (6, 6)');
          // It went on while the tables were still being asked for.
          expect(given).toBe(false);
        });
        expect((await closing).id).toBe('fence-leaks');
        await writer.query('INSERT INTO public.orders VALUES (7, 7); COMMIT');
        await writer.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
        await fenceTables(client, 1, tables, 10_000);
        await expect(writer.query('INSERT INTO public.orders VALUES (8, 8)')).rejects.toMatchObject({ code: '25006' });
      });
      await openTables(client, 1, tables, 10_000);
      expect(await dropOpened(client)).toEqual(['public.orders']);
      await reader.query('COMMIT');
    });
    expect(await dropOpened(client)).toEqual([]);
  });
});

test('tables that somebody keeps locked are opened within a limit or stay closed, and the error says whose lock it was', async () => {
  await withOrders(async (client, another) => {
    await fenceTables(client, 1, tables, 10_000);
    const explained = lockTimeouts(client, 500);
    await another(async (holder) => {
      await holder.query('BEGIN; LOCK TABLE public.orders IN ROW EXCLUSIVE MODE');
      const ended = await explained(await failure(openTables(client, 1, tables, 500)));
      expect(ended).toMatchObject({ id: 'lock-timeout', seen: expect.stringContaining('owner1 (pid') });
      await requireFencedTables(client, tables);
      await holder.query('COMMIT');
    });
    await openTables(client, 1, tables, 10_000);
    await client.query('INSERT INTO public.orders VALUES (9, 9)');
  });
});

test('what was never closed is given up beside the writer who kept it from closing', async () => {
  await withOrders(async (client, another) => {
    await another(async (writer) => {
      await writer.query('BEGIN; INSERT INTO public.orders VALUES (5, 5)');
      expect((await failure(fenceTables(client, 1, tables, 300))).id).toBe('fence-leaks');
      await openTables(client, 1, tables, 300);
      await writer.query('INSERT INTO public.orders VALUES (6, 6); COMMIT');
    });
  });
});

test('VACUUM of a table ends where it would keep the tables from being closed or opened', async () => {
  await withOrders(async (client, another) => {
    await client.query('INSERT INTO public.orders SELECT n, n FROM generate_series(10, 20000) n');
    for (const act of [() => fenceTables(client, 1, tables, 10_000), () => openTables(client, 1, tables, 10_000)])
      await another(async (other) => {
        // At least 8 s.
        await other.query('SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1');
        const vacuum = failure(other.query('VACUUM public.orders'));
        await untilRow(client, 'SELECT FROM pg_stat_progress_vacuum');
        await act();
        expect(await vacuum).toMatchObject({ code: '57014' });
      });
  });
});

test('a table that takes rows by a subscription of others counts as open, is named before a release, and comes into none once it is closed', async () => {
  await withOrders(async (client, another) => {
    const { host, port, user, password } = client;
    await client.query('CREATE PUBLICATION theirs FOR TABLE public.orders, public.others');
    const subscribe = `CREATE SUBSCRIPTION "from afar" CONNECTION 'host=${host} port=${port} user=${user} password=''${password}'' dbname=${client.database}'
      PUBLICATION theirs WITH (enabled = false, create_slot = false, slot_name = NONE, copy_data = false)`;
    await client.query(subscribe);
    const fed = ['public.orders (by the subscription "from afar")'];
    expect((await describePart(client, await readPart(client, tables))).fed).toEqual(fed);
    expect((await failure(fenceTables(client, 1, tables, 10_000))).facts).toEqual({ open: [], fed });
    await client.query('DROP SUBSCRIPTION "from afar"');
    await requireFencedTables(client, tables);
    await another((other) => expect(other.query(subscribe)).rejects.toMatchObject({ code: '25006' }));
  });
});

test('a table that was renamed before it could be closed counts as open', async () => {
  await withOrders(async (client) => {
    await client.query('ALTER TABLE public.orders RENAME TO elsewhere');
    expect((await failure(fenceTables(client, 1, tables, 10_000))).facts).toEqual({ open: ['public.orders'], fed: [] });
    await client.query('ALTER TABLE public.lines RENAME TO elsewhere_too');
    expect((await failure(fenceTables(client, 1, tables, 10_000))).facts).toEqual({ open: tables, fed: [] });
  });
});

test('an operator with an old token neither closes nor opens', async () => {
  await withOrders(async (client) => {
    await fenceTables(client, 5, tables, 10_000);
    await expect(openTables(client, 4, tables, 10_000)).rejects.toMatchObject({ id: 'stale-token' });
    await requireFencedTables(client, tables);
  });
});

/** Of the role `keeper`, who owns one of the tables and may create everything; what a superuser runs of his, he counts. */
const traps = `
  CREATE ROLE keeper; GRANT CREATE, USAGE ON SCHEMA public TO keeper; ALTER TABLE public.orders OWNER TO keeper;
  SET SESSION AUTHORIZATION keeper; CREATE SEQUENCE public.sprung;
  CREATE FUNCTION public.spring() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN PERFORM nextval('public.sprung'); END IF; RETURN 1; END $$;
  CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM public.spring(); RAISE EXCEPTION 'so it seems' USING ERRCODE = '25006'; END $$;
  CREATE INDEX ON public.orders ((public.spring() + v));`;

test("no code of a table's owner runs as superuser when the table is closed, nor does a trigger of the fence's name open it", async () => {
  await withOrders(async (client, another) => {
    await another((other) =>
      other.query(`${traps} CREATE TRIGGER verdigris_fence BEFORE DELETE ON public.orders EXECUTE FUNCTION public.refuse();
        ALTER TABLE public.orders ENABLE ALWAYS TRIGGER verdigris_fence`),
    );
    await fenceTables(client, 1, tables, 10_000);
    expect(await rows(client, 'SELECT is_called FROM public.sprung')).toEqual([{ is_called: false }]);
    await another((other) =>
      expect(other.query('INSERT INTO public.orders VALUES (2, 2)')).rejects.toMatchObject({ code: '25006' }),
    );
    await another((other) =>
      other.query("SET session_replication_role = replica; SELECT setval('public.sprung', 1, false)"),
    );
    await openTables(client, 1, tables, 10_000);
    expect(await dropOpened(client)).toEqual([]);
    expect(await rows(client, 'SELECT is_called FROM public.sprung')).toEqual([{ is_called: false }]);
  });
});

test("a trigger of the fence's name that a table's owner made closes nothing, and stays as it is", async () => {
  await withOrders(async (client, another) => {
    await another((other) =>
      other.query(`CREATE FUNCTION public.own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER verdigris_fence BEFORE INSERT ON public.others FOR EACH ROW EXECUTE FUNCTION public.own();
        ALTER TABLE public.others ENABLE ALWAYS TRIGGER verdigris_fence`),
    );
    const theirs = ['public.others'];
    const state = () => rows(client, "SELECT tgenabled AS is FROM ONLY pg_trigger WHERE tgname = 'verdigris_fence'");
    expect([await closedTables(client), await closedTables(client, theirs)]).toEqual([[], []]);
    expect([await namedAsFence(client, tables), await namedAsFence(client, theirs)]).toEqual([[], theirs]);
    // Sessions that see a part see it, and it is among what hangs on the table.
    expect(
      await rows(client, "SELECT tgrelid::regclass AS of FROM pg_trigger WHERE tgname = 'verdigris_fence'"),
    ).toEqual([{ of: 'public.others' }]);
    const { goes } = await describePart(client, await readPart(client, theirs));
    expect(goes).toContain('function public.own()');
    await openTables(client, 1, theirs, 10_000);
    expect(await state()).toEqual([{ is: 'A' }]);
    await another((other) => other.query('ALTER TABLE public.others DISABLE TRIGGER verdigris_fence'));
    expect(await dropOpened(client)).toEqual([]);
    expect(await state()).toEqual([{ is: 'D' }]);
  });
});

test("a schema of the fence's name that somebody makes once the session has begun is not taken for ours", async () => {
  await withOrders(async (client, another) => {
    await another((other) =>
      other.query(`${traps} RESET SESSION AUTHORIZATION; CREATE SCHEMA verdigris_fence AUTHORIZATION keeper`),
    );
    expect((await failure(fenceTables(client, 1, tables, 10_000))).id).toBe('schema-taken');
    expect(await rows(client, 'SELECT FROM ONLY pg_event_trigger')).toEqual([]);
  });
});

test('no client is ended for a deadlock with the fence, though its server looks for one after 100 ms', async () => {
  await withOrders(async (client, another) => {
    await client.query("ALTER SYSTEM SET deadlock_timeout = '100ms'");
    await client.query('CREATE TABLE public.third (id int PRIMARY KEY); SELECT pg_reload_conf()');
    const three = ['public.lines', 'public.orders', 'public.third'];
    await untilRow(client, "SELECT FROM pg_settings WHERE name = 'deadlock_timeout' AND setting = '100'");
    await another((short) =>
      another(async (long) => {
        // Locks are taken by name: the first is free, the second is had after 80 ms, and who has the third wants the first.
        await short.query('BEGIN; DELETE FROM public.orders');
        await long.query('BEGIN; DELETE FROM public.third');
        const closing = fenceTables(client, 1, three, 10_000);
        const ended = sleep(80).then(() => short.query('ROLLBACK'));
        await sleep(10);
        await long.query('DELETE FROM public.lines');
        await long.query('COMMIT');
        await ended;
        await closing;
      }),
    );
    await requireFencedTables(client, three);
  });
});
