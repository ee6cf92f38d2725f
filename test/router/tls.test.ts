import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Pair, reader, TestRouter, writer } from '../support/router.ts';
import { until } from '../support/until.ts';

let pair: Pair;
let tls: { cert: string; key: string };
let ca: string;
beforeAll(async () => {
  pair = await Pair.start();
  tls = { cert: path.join(pair.folder, 'router.crt'), key: path.join(pair.folder, 'router.key') };
  await execa('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', tls.key, '-out', tls.cert],
  ]);
  ca = await readFile(tls.cert, 'utf8');
});
afterAll(() => pair[Symbol.asyncDispose]());

const psql = (router: TestRouter, more: string, sql: string) =>
  execa(
    'psql',
    ['-XAtq', '-c', sql, `host=localhost hostaddr=127.0.0.1 port=${router.port} user=app dbname=shop ${more}`],
    {
      env: { PGPASSWORD: writer.password },
    },
  );

test('clients use TLS, are verified against the certificate, and go on with it behind a switchover', async () => {
  await using router = await TestRouter.start(pair, { tls });
  const client = await router.connect(writer, { host: 'localhost', ssl: { ca } });
  expect((await client.query('SELECT colour FROM me')).rows).toEqual([{ colour: 'blue' }]);
  const { stdout } = await psql(router, `sslmode=verify-full sslrootcert=${tls.cert}`, 'SELECT colour FROM me');
  expect(stdout).toBe('blue');
  await expect(router.connect(writer, { host: 'localhost', ssl: { ca: [] } })).rejects.toThrow(/self-signed/);
  await router.switchTo(pair, 'green', 1);
  expect((await client.query("SELECT colour, repeat('x', 1000000) AS x FROM me")).rows[0]).toMatchObject({
    colour: 'green',
  });
  await client.end();
  const plain = await router.connect(writer);
  await plain.end();
  await until('nobody left', async () => (await router.control.status()).sessions.green.idle === 0);
  await router.switchTo(pair, 'blue', 2);
});

test('without a certificate TLS is not offered, and one that cannot be used is an error at the start', async () => {
  await using router = await TestRouter.start(pair);
  await expect(router.connect(writer, { ssl: { ca } })).rejects.toThrow(/does not support SSL/);
  const wrong = path.join(pair.folder, 'wrong.key');
  await writeFile(wrong, 'no key');
  await expect(TestRouter.start(pair, { tls: { ...tls, key: wrong } })).rejects.toMatchObject({ id: 'router-config' });
});

test('one client too many is told so, in all and of its user', async () => {
  await using router = await TestRouter.start(pair, { limits: { connections: 3, connectionsPerUser: 2 } });
  const first = await router.connect();
  const second = await router.connect();
  await expect(router.connect()).rejects.toMatchObject({ code: '53300' });
  const third = await router.connect(reader);
  await expect(router.connect(reader)).rejects.toMatchObject({ code: '53300' });
  await first.end();
  const again = await until('a place', () => router.connect().catch(() => undefined));
  await Promise.all([second, third, again].map((client) => client.end()));
});

test('a server without a free connection is reported as that at once', async () => {
  await pair.on('blue', (client) => client.query('ALTER ROLE app CONNECTION LIMIT 0'));
  await using router = await TestRouter.start(pair);
  const from = performance.now();
  await expect(router.connect()).rejects.toMatchObject({ code: '53300' });
  expect(performance.now() - from).toBeLessThan(5_000);
  await pair.on('blue', (client) => client.query('ALTER ROLE app CONNECTION LIMIT -1'));
});
