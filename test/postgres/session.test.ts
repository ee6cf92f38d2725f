import dns from 'node:dns';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { one, rows, withFixedPath } from '../../src/postgres/client.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { withClient, withOwnSession } from '../../src/postgres/session.ts';
import { fatal } from '../support/fatal.ts';
import { connectionTo, testMajor, withServer } from '../support/postgres.ts';

/** What somebody may have set for his own sessions, and what must hold in ours. */
const wrong: Readonly<Record<string, string>> = {
  search_path: 'public, pg_catalog',
  statement_timeout: '1',
  lock_timeout: '1',
  idle_in_transaction_session_timeout: '1',
  idle_session_timeout: '1',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  row_security: 'on',
  standard_conforming_strings: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  DateStyle: 'German',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Asia/Tokyo',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  client_encoding: 'LATIN1',
  jit: 'on',
  session_replication_role: 'origin',
  synchronous_commit: 'off',
};
const right: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog,pg_temp',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  row_security: 'off',
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  client_encoding: 'UTF8',
  jit: 'off',
  session_replication_role: 'replica',
  synchronous_commit: 'local',
};

test('settings of database and role do not hold in a session of Verdigris, and its event triggers see nothing of it', async () => {
  await withServer(async (server) => {
    const at = connectionTo(server);
    await withOwnSession(at, 'test', async (client) => {
      for (const [name, value] of Object.entries(wrong)) {
        await client.query(`ALTER DATABASE postgres SET ${name} = ${name === 'search_path' ? value : `'${value}'`}`);
        await client.query(
          `ALTER ROLE verdigris_operator SET ${name} = ${name === 'search_path' ? value : `'${value}'`}`,
        );
      }
      await client.query('CREATE ROLE somebody; ALTER ROLE verdigris_operator SET role = somebody');
      await client.query(`CREATE TABLE public.seen (tag text); GRANT ALL ON public.seen TO PUBLIC;
        CREATE FUNCTION public.see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (tg_tag); END $$;
        CREATE EVENT TRIGGER see ON ddl_command_end EXECUTE FUNCTION public.see()`);
      if (testMajor >= 17) await client.query('CREATE EVENT TRIGGER see_login ON login EXECUTE FUNCTION public.see()');
    });
    await withOwnSession({ ...at, superuser: true }, 'test', async (client) => {
      const found = await rows<{ name: string; setting: string }>(
        client,
        'SELECT name, setting FROM pg_settings WHERE lower(name) = ANY ($1)',
        [Object.keys(right).map((name) => name.toLowerCase())],
      );
      expect(Object.fromEntries(found.map(({ name, setting }) => [name, setting]))).toEqual(right);
      expect(await one(client, 'SELECT current_user::text AS who')).toEqual({ who: 'verdigris_operator' });
      await client.query('CREATE TABLE public.ours ()');
      expect(await rows(client, 'SELECT FROM public.seen')).toEqual([]);
    });
    // With the role's own setting its triggers would run before the first statement, and a write fails in this session.
    await withOwnSession({ ...at, superuser: true, readOnly: true }, 'test', (client) =>
      expect(client.query('CREATE TABLE public.more ()')).rejects.toMatchObject({ code: '25006' }),
    );
    // SQL of the user's: what names and literals mean is the database's, limits and modes are not.
    await withClient(at, 'test', async (client) => {
      const found = await one(
        client,
        `SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS time,
          current_setting('default_transaction_isolation') AS isolation, current_setting('role') AS role`,
      );
      expect(found).toEqual({ path: 'public, pg_catalog', time: '0', isolation: 'read committed', role: 'somebody' });
    });
  });
});

test("what a session begins with finds no name before PostgreSQL's, and a schema of ours that is another's is refused", async () => {
  await withServer(async (server) => {
    const at = connectionTo(server);
    await withOwnSession(at, 'test', (client) =>
      client.query(`CREATE ROLE app; GRANT CREATE ON DATABASE postgres TO app; CREATE SCHEMA trap AUTHORIZATION app; SET ROLE app;
        CREATE FUNCTION trap.equal(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
          EXECUTE 'ALTER ROLE app SUPERUSER'; RETURN true; END $$;
        CREATE FUNCTION trap.equal(name, name) RETURNS bool LANGUAGE sql AS $$ SELECT trap.equal($1::text, $2::text) $$;
        CREATE FUNCTION trap.equal(oid, oid) RETURNS bool LANGUAGE sql AS $$ SELECT trap.equal($1::text, $2::text) $$;
        CREATE OPERATOR trap.= (FUNCTION = trap.equal, LEFTARG = text, RIGHTARG = text);
        CREATE OPERATOR trap.= (FUNCTION = trap.equal, LEFTARG = name, RIGHTARG = name);
        CREATE OPERATOR trap.<> (FUNCTION = trap.equal, LEFTARG = name, RIGHTARG = name);
        CREATE OPERATOR trap.= (FUNCTION = trap.equal, LEFTARG = oid, RIGHTARG = oid);
        RESET ROLE; ALTER DATABASE postgres SET search_path = trap, pg_catalog`),
    );
    const found = () =>
      withClient(at, 'test', (client) =>
        withFixedPath(client, () => one(client, "SELECT rolsuper FROM pg_roles WHERE rolname = 'app'")),
      );
    expect(await found()).toEqual({ rolsuper: false });
    await withOwnSession(at, 'test', (client) => client.query('CREATE DATABASE other OWNER app'));
    const other = connectionTo(server, 'other');
    await withOwnSession(other, 'test', (client) => client.query('SET ROLE app; CREATE SCHEMA verdigris_fence'));
    const fence = { id: 'schema-taken', next: expect.stringContaining('DROP SCHEMA verdigris_fence') };
    await expect(withOwnSession(other, 'test', () => Promise.resolve())).rejects.toMatchObject(fence);
    const refused = { id: 'schema-taken', seen: expect.stringContaining('belongs to app') };
    await withOwnSession(at, 'test', async (client) => {
      await client.query('SET ROLE app; CREATE SCHEMA verdigris; RESET ROLE');
      await expect(ensureControlSchema(client)).rejects.toMatchObject(refused);
    });
    await expect(found()).rejects.toMatchObject(refused);
    await expect(withOwnSession(at, 'test', () => Promise.resolve())).rejects.toMatchObject(refused);
  });
});

test.runIf(testMajor >= 17)(
  'a limit for whole transactions ends no session, whoever has it and however long the catalogue is locked',
  async () => {
    await withServer(async (server) => {
      const at = connectionTo(server);
      const limit = 300;
      await withOwnSession(at, 'test', (client) =>
        client.query(`CREATE ROLE maker LOGIN; ALTER ROLE maker SET transaction_timeout = ${limit};
          ALTER DATABASE postgres SET transaction_timeout = ${limit}`),
      );
      const beyond = `SELECT pg_sleep(${(limit * 1.5) / 1_000})`;
      const maker = connectionTo(server, 'postgres', 'maker');
      for (const session of [withOwnSession, withClient])
        for (const who of [at, maker])
          expect(await session(who, 'test', (client) => rows(client, beyond))).toHaveLength(1);
      await withOwnSession(at, 'test', async (holder) => {
        await holder.query('BEGIN; LOCK TABLE pg_namespace');
        const entered = withClient(maker, 'test', (client) => rows(client, 'SELECT 1'));
        await holder.query(beyond);
        await holder.query('COMMIT');
        expect(await entered).toHaveLength(1);
      });
    });
  },
);

/** Ends the first session as PostgreSQL does where its own limit for transactions was over before anybody was in. */
const endsFirst = (to: number) => {
  let sessions = 0;
  return createServer((socket) => {
    socket.on('error', () => undefined);
    if (++sessions > 1) {
      const behind = connect({ port: to, host: '127.0.0.1' });
      behind.on('error', () => undefined);
      socket.pipe(behind).pipe(socket);
      return;
    }
    socket.once('data', () =>
      socket.end(fatal('25P04', 'terminating connection due to transaction timeout'), 'latin1'),
    );
  });
};

test('a session that was ended by a limit for transactions before it was let in is asked for again', async () => {
  await withServer(async (server) => {
    await withOwnSession(connectionTo(server), 'test', (client) =>
      client.query("ALTER ROLE CURRENT_USER PASSWORD 'known'"),
    );
    const between = endsFirst(server.port).listen(0, '127.0.0.1');
    await once(between, 'listening');
    const { port } = between.address() as AddressInfo;
    const at = { ...connectionTo(server), host: '127.0.0.1', port, password: 'known' };
    try {
      expect(await withOwnSession(at, 'test', (client) => rows(client, 'SELECT 1'))).toHaveLength(1);
    } finally {
      between.close();
    }
  });
});

/** Addresses that a name leads to, one a lookup; the last for ever. */
async function leadingTo(answers: readonly (string | Error)[], use: () => Promise<void>): Promise<number> {
  const left = [...answers];
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((_: string, ...given: unknown[]) => {
    const answer = (left.length > 1 ? left.shift() : left[0]) as string | Error;
    const done = given.at(-1) as (...found: unknown[]) => void;
    if (answer instanceof Error) done(answer);
    else done(null, [{ address: answer, family: 4 }]);
  }) as never);
  try {
    await use();
    return lookup.mock.calls.length;
  } finally {
    lookup.mockRestore();
  }
}

/** A server by a name, which `answers` say where to find. */
async function byName(answers: readonly (string | Error)[], port?: (server: number) => Promise<void>): Promise<number> {
  return withServer(async (server) => {
    await withOwnSession(connectionTo(server), 'test', (client) =>
      client.query("ALTER ROLE CURRENT_USER PASSWORD 'known'"),
    );
    await port?.(server.port);
    const at = { ...connectionTo(server), host: 'server.test', password: 'known' };
    return leadingTo(answers, async () =>
      expect(await withOwnSession(at, 'test', (client) => one(client, 'SELECT 1 AS n'))).toEqual({ n: 1 }),
    );
  });
}

test('a name that its server could not say for now is asked for again', async () => {
  const again = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' });
  expect(await byName([again, again, '127.0.0.1'])).toBe(3);
});

/** Listens, and never takes a connection: what comes once its queue is full is answered by nobody. */
const listensOnly = `const [, port] = process.argv;
  require('node:net').createServer().listen({ port: Number(port), host: '127.0.0.2', backlog: 1 }, () => {
    process.stdout.write('listens');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  });`;

async function fillQueue(port: number, filled: Socket[]): Promise<void> {
  for (;;) {
    const socket = connect({ port, host: '127.0.0.2' });
    filled.push(socket);
    socket.on('error', () => undefined);
    const taken = new Promise<true>((resolve) => socket.once('connect', () => resolve(true)));
    if (!(await Promise.race([taken, sleep(300, false)]))) return;
  }
}

test('a server is found where it is by now, when nobody takes a connection where it was', async () => {
  const filled: Socket[] = [];
  const ended = new AbortController();
  const lookups = byName(['127.0.0.2', '127.0.0.1'], async (port) => {
    const silent = execa(process.execPath, ['-e', listensOnly, String(port)], { cancelSignal: ended.signal });
    silent.catch(() => undefined);
    await once(silent.stdout, 'data');
    await fillQueue(port, filled);
  });
  try {
    expect(await lookups).toBe(2);
  } finally {
    ended.abort();
    for (const socket of filled) socket.destroy();
  }
});

test.runIf(testMajor >= 17)(
  'an event trigger ON login that lets a session in no more is named, by a session that may write',
  async () => {
    await withServer(async (server) => {
      await withOwnSession(connectionTo(server), 'test', (client) =>
        client.query(`CREATE TABLE public.logins (who text); CREATE ROLE looker LOGIN; GRANT INSERT ON public.logins TO looker;
          CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.logins VALUES (session_user); END $$;
          CREATE EVENT TRIGGER "Note it" ON login EXECUTE FUNCTION public.note(); ALTER EVENT TRIGGER "Note it" ENABLE ALWAYS`),
      );
      const looker = { ...connectionTo(server), user: 'looker' };
      await expect(
        withOwnSession({ ...looker, readOnly: true }, 'test', (client) => one(client, 'SELECT 1')),
      ).rejects.toMatchObject({
        id: 'login-trigger-fails',
        facts: { triggers: ['"Note it"'] },
        next: expect.stringContaining('ALTER EVENT TRIGGER "Note it" DISABLE') as string,
      });
    });
  },
);

test('a server with no connection free is asked again until it has one, and named where it has none', async () => {
  await withServer(async (server) => {
    const limit = (most: number) =>
      withOwnSession(connectionTo(server), 'test', (client) =>
        client.query(`ALTER ROLE crowded CONNECTION LIMIT ${most}`),
      );
    await withOwnSession(connectionTo(server), 'test', (client) =>
      client.query('CREATE ROLE crowded LOGIN CONNECTION LIMIT 0'),
    );
    const enter = () =>
      withOwnSession({ ...connectionTo(server), user: 'crowded' }, 'test', (client) => rows(client, 'SELECT 1'));
    await expect(enter()).rejects.toMatchObject({
      id: 'server-full',
      facts: { user: 'crowded', port: server.port },
      seen: expect.stringContaining('too many connections for role "crowded"') as string,
    });
    const entered = enter();
    await limit(1);
    expect(await entered).toHaveLength(1);
  });
});
