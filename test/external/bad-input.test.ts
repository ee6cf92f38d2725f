import { chown, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import {
  credentials,
  declaredPasswords,
  declaredServer,
  fillShop,
  superuserPassword,
  withExternalServer,
  type ExternalFixture,
} from '../support/external.ts';
import { withCli } from '../support/cli.ts';
import { certificate } from '../support/certificates.ts';
import { failure, type Failure } from '../support/failure.ts';
import { hasPgBouncer, withPgBouncer } from '../support/pgbouncer.ts';
import { temporaryFolder, testMajor } from '../support/postgres.ts';

let theirs: ExternalFixture;
const ended = Promise.withResolvers<void>();
let served: Promise<void>;
beforeAll(async () => {
  const begun = Promise.withResolvers<void>();
  served = withExternalServer(testMajor, async (server) => {
    await fillShop(server);
    theirs = server;
    begun.resolve();
    await ended.promise;
  });
  served.catch(begun.reject);
  await begun.promise;
});
afterAll(async () => {
  ended.resolve();
  await served;
});

/** What `verdigris create` says of an environment whose live server is declared with these changes. */
async function refusal(change: Record<string, unknown>, postgres = testMajor): Promise<Failure> {
  const raw = {
    name: 'shop',
    platform: 'local',
    database: 'shop',
    roles: { application: ['shop_app'] },
    colours: { blue: { release: '1', postgres, server: { ...declaredServer(theirs), ...change } } },
    live: 'blue',
  };
  const platform = await LocalPlatform.open(parseEnvironment(raw, 'the test'), await temporaryFolder());
  return failure(platform.lifecycle.create({ raw }));
}

async function superuser(sql: string): Promise<void> {
  await withClient(theirs.superuser, 'test', (client) => client.query(sql));
}

test('what is declared of a server that others run is held against what it is, before anything is made there', async () => {
  await superuser(`CREATE ROLE plain LOGIN PASSWORD '${superuserPassword}'`);
  expect((await refusal({}, 16)).seen).toContain(`it is PostgreSQL ${testMajor}, colours.blue.postgres says 16`);
  expect((await refusal({ user: 'plain' })).seen).toContain('plain is no superuser there');
  expect(await refusal({ password: { env: 'NOT_SET' } })).toMatchObject({ id: 'secret-missing' });
  expect(await refusal({ password: { command: ['false'] } })).toMatchObject({ id: 'secret-missing' });
  expect(await refusal({ password: { command: ['echo', 'wrong'] } })).toMatchObject({ id: 'wrong-password' });
  expect(await refusal({ sslmode: 'verify-full' })).toMatchObject({ id: 'tls-refused' });
  expect(await refusal({ port: 1 })).toMatchObject({ id: 'external-down' });
  const made = await withClient({ ...theirs.superuser, database: 'shop' }, 'test', (client) =>
    rows(
      client,
      "SELECT rolname FROM pg_roles WHERE rolname ~ '^verdigris' UNION SELECT nspname FROM pg_namespace WHERE nspname = 'verdigris'",
    ),
  );
  expect(made).toEqual([]);
});

test('another environment of the same server is refused with the name of its database, which is left as it is', async () => {
  await superuser('CREATE DATABASE billing');
  const inBilling = (sql: string) =>
    withClient({ ...theirs.superuser, database: 'billing' }, 'test', (client) => rows(client, sql));
  await inBilling('CREATE SCHEMA verdigris');
  const refused = async () => {
    const { id, seen } = await refusal({});
    expect(id).toBe('external-refused');
    expect(seen).toContain('its database billing belongs to another environment of Verdigris');
  };
  await refused();
  await superuser('ALTER DATABASE billing IS_TEMPLATE true');
  await refused();
  // As an environment leaves it, of which nothing can be read for now.
  await superuser('CREATE ROLE verdigris_reader');
  await inBilling('GRANT USAGE ON SCHEMA verdigris TO verdigris_reader');
  await superuser('ALTER DATABASE billing ALLOW_CONNECTIONS false');
  await refused();
  await superuser('ALTER DATABASE billing ALLOW_CONNECTIONS true; ALTER DATABASE billing IS_TEMPLATE false');
  await inBilling('REVOKE ALL ON SCHEMA verdigris FROM verdigris_reader');
  await superuser('DROP ROLE verdigris_reader');
  expect(await inBilling("SELECT nspname FROM pg_namespace WHERE nspname = 'verdigris'")).toHaveLength(1);
  await superuser('DROP DATABASE billing');
});

test.runIf(hasPgBouncer)('the address of a PgBouncer is refused, and the server behind it asked for', async () => {
  await withPgBouncer({ host: '127.0.0.1', port: theirs.port }, { postgres: superuserPassword }, async (port) => {
    expect(await refusal({ port })).toMatchObject({ id: 'external-pooler' });
  });
});

test('a certificate that other authorities have signed, or that is for another name, is trusted by nobody', async () => {
  const account = await serverAccount();
  const pem = (name: string, kind: string) => path.join(path.dirname(theirs.log), `${name}.${kind}`);
  const named = (name: string) => ({ cert: pem(name, 'crt'), key: pem(name, 'key') });
  const [own, stranger] = [named('db.example.com'), named('stranger')];
  await certificate('db.example.com', own);
  await certificate('stranger', stranger);
  if (account) await chown(own.key, account.uid, account.gid);
  await superuser(`ALTER SYSTEM SET ssl_cert_file = '${own.cert}'`);
  await superuser(`ALTER SYSTEM SET ssl_key_file = '${own.key}'`);
  await superuser('ALTER SYSTEM SET ssl = on');
  await theirs.ctl('reload');
  for (const ca of [own.cert, stranger.cert]) {
    const { id, seen } = await refusal({ sslmode: 'verify-full', ca });
    expect(id).toBe('tls-refused');
    expect(seen).toContain(ca === own.cert ? 'does not match certificate' : 'self-signed');
  }
  // The server's other settings are kept in the same file.
  for (const name of ['ssl', 'ssl_cert_file', 'ssl_key_file']) await superuser(`ALTER SYSTEM RESET ${name}`);
  await theirs.ctl('reload');
});

test('destroy says what stays on a server that others run, and leaves it open', async () => {
  await withCli(async ({ run, declare, folder }) => {
    const { port } = theirs;
    const blue = { release: '1', postgres: testMajor, server: declaredServer(theirs) };
    await declare({
      ...{ name: 'shop', platform: 'local', database: 'shop', live: 'blue', colours: { blue } },
      ...{ roles: { application: ['shop_app'] }, local: { passwords: { shop_app: { file: 'app' } } } },
    });
    await writeFile(path.join(folder, 'app'), credentials.shop_app);
    expect(await run('create', '--json')).toMatchObject({ exitCode: 0 });
    const gone = await run('destroy', '--yes');
    expect(gone.stdout).toContain(
      `left at 127.0.0.1:${port}: the database shop with its rows; the role verdigris_operator`,
    );
    const app = { ...theirs.superuser, database: 'shop', user: 'shop_app', password: credentials.shop_app };
    expect(await withClient(app, 'test', (client) => rows(client, 'SELECT 1'))).toHaveLength(1);
    await superuser('DROP OWNED BY verdigris_operator; DROP ROLE verdigris_operator');
  });
});

test('a candidate that is the live server under another name is refused before anything is closed', async () => {
  const declaration = {
    colours: {
      blue: { release: '1', postgres: testMajor, server: declaredServer(theirs) },
      green: { release: '2', postgres: testMajor, server: { ...declaredServer(theirs), host: 'localhost' } },
    },
    local: { passwords: declaredPasswords },
  };
  await withEnvironment({ declaration, existing: credentials }, async ({ verb, on, platform }) => {
    expect(await failure(verb('seed'))).toMatchObject({ id: 'same-server', code: 'refused' });
    expect(
      await on('blue', (client) => rows(client, 'SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', ['shop_app'])),
    ).toEqual([{ rolcanlogin: true }]);
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'blue', release: null });
  });
});

test('a replica is refused, and its primary asked for', async () => {
  const signal = path.join(path.dirname(theirs.log), 'data', 'standby.signal');
  await theirs.ctl('stop', '-m', 'fast');
  await writeFile(signal, '');
  await theirs.ctl('start', '-l', theirs.log);
  const { id, seen } = await refusal({});
  expect(id).toBe('external-refused');
  expect(seen).toContain('it is a replica (pg_is_in_recovery): name the primary.');
  await theirs.ctl('stop', '-m', 'fast');
  await rm(signal);
  await theirs.ctl('start', '-l', theirs.log);
});

test('a server without logical replication, or without a slot to spare, is refused with what to set', async () => {
  await superuser("ALTER SYSTEM SET wal_level = 'replica'");
  await superuser('ALTER SYSTEM SET max_replication_slots = 0');
  await theirs.ctl('restart', '-l', theirs.log);
  const { id, seen } = await refusal({});
  expect(id).toBe('external-refused');
  expect(seen).toContain('wal_level is replica: set it to logical');
  expect(seen).toContain('all 0 replication slots are taken');
});
