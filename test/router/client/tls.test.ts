import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelRequest } from '../../../src/wire/opening.ts';
import { certificate } from '../../support/certificates.ts';
import { Pair, type TestClient, TestRouter, writer } from '../../support/router.ts';
import { until } from '../../support/until.ts';

let pair: Pair;
let tls: { cert: string; key: string };
let ca: string;
beforeAll(async () => {
  pair = await Pair.start();
  tls = { cert: path.join(pair.folder, 'router.crt'), key: path.join(pair.folder, 'router.key') };
  await certificate('localhost', tls);
  ca = await readFile(tls.cert, 'utf8');
});
afterAll(() => pair[Symbol.asyncDispose]());

/** The certificate that a client is shown which sends its hello without asking (sslnegotiation=direct), and names `protocol`. */
function shownDirectly(port: number, protocol: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: [protocol] });
  socket.on('error', reject).on('secureConnect', () => {
    resolve(socket.getPeerX509Certificate()?.toString() ?? 'none');
    socket.destroy();
  });
  return promise;
}

function keyOf(client: TestClient): Buffer {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const key = Buffer.alloc(8);
  key.writeInt32BE(processID, 0);
  key.writeInt32BE(secretKey, 4);
  return key;
}

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

test("where TLS is required plain clients are refused, others served, and the operator's socket needs none", async () => {
  await using router = await TestRouter.start(pair, { tls: { ...tls, required: true } });
  await expect(router.connect(writer)).rejects.toMatchObject({ code: '28000' });
  await expect(psql(router, 'sslmode=disable', 'SELECT 1')).rejects.toThrow('takes encrypted connections only');
  for (const mode of ['allow', 'prefer', 'require', `verify-full sslrootcert=${tls.cert}`])
    expect((await psql(router, `sslmode=${mode}`, 'SELECT colour FROM me')).stdout).toBe('blue');
  await expect(psql(router, 'sslmode=require channel_binding=require', 'SELECT 1')).rejects.toThrow('channel binding');
  expect(await shownDirectly(router.port, 'postgresql')).toBe(ca);
  await expect(shownDirectly(router.port, 'http/1.1')).rejects.toThrow(/alert no application protocol/);
  const client = await router.connect(writer, { host: 'localhost', ssl: { ca } });
  const cancelled = client.query('SELECT pg_sleep(30)');
  cancelled.catch(() => undefined);
  await until('it runs', () =>
    pair.on(
      'blue',
      async (own) =>
        (await own.query("SELECT 1 FROM pg_stat_activity WHERE usename = 'app' AND query = 'SELECT pg_sleep(30)'"))
          .rowCount,
    ),
  );
  // As libpq before 17 does: in the clear, whatever the session is.
  connect(router.port, '127.0.0.1').end(cancelRequest(keyOf(client)));
  await expect(cancelled).rejects.toMatchObject({ code: '57014' });
  await client.end();
  expect(await router.probe()).toBe('blue');
});

test('a renewed certificate is offered without a restart, half of a renewal is not, and who is connected stays', async () => {
  const files = { cert: path.join(pair.folder, 'renewed.crt'), key: path.join(pair.folder, 'renewed.key') };
  await Promise.all((['cert', 'key'] as const).map((each) => copyFile(tls[each], files[each])));
  await using router = await TestRouter.start(pair, { tls: { ...files, required: true } });
  const client = await router.connect(writer, { host: 'localhost', ssl: { ca } });
  const fresh = { cert: path.join(pair.folder, 'fresh.crt'), key: path.join(pair.folder, 'fresh.key') };
  await certificate('localhost', fresh);
  const renewed = await readFile(fresh.cert, 'utf8');
  await copyFile(fresh.cert, files.cert);
  process.kill((await router.pid()) as number, 'SIGHUP');
  await until('the half was seen', async () => (await router.log()).includes('the previous one stays in use'));
  expect(await shownDirectly(router.port, 'postgresql')).toBe(ca);
  await copyFile(fresh.key, files.key);
  await until('it is offered', async () => (await shownDirectly(router.port, 'postgresql')) === renewed);
  expect((await client.query('SELECT colour FROM me')).rows).toEqual([{ colour: 'blue' }]);
  await client.end();
});
