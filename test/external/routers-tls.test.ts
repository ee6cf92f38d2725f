import { chown, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import { tryTraffic } from '../../src/operations/proofs/try-traffic.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { one } from '../../src/postgres/client.ts';
import { withPooledSession } from '../../src/postgres/session.ts';
import { withBench } from '../faults/support.ts';
import { certificate } from '../support/certificates.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { failure } from '../support/failure.ts';
import { inFolder } from '../support/postgres.ts';
import { rotate } from '../support/rotate.ts';
import { ending, startFollowing, withOneAddress } from '../support/routers.ts';

/** The programs of PostgreSQL that npm brings know no TLS: those of the system do. */
const major = 15;

const who = "SELECT current_setting('cluster_name') AS server, current_user::text AS role";

/** By the server's own word. */
const how = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'shop_app_1'";

test('servers are reached by their certificate alone, and a role that is at its second login is carried over', async () => {
  await inFolder(async (folder) => {
    const account = await serverAccount();
    const named = (name: string) => ({ cert: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) });
    const [own, stranger] = [named('own'), named('stranger')];
    for (const each of [own, stranger]) await certificate('localhost', each);
    if (account) await chown(own.key, account.uid, account.gid);
    const tls = { ssl: 'on', ssl_cert_file: own.cert, ssl_key_file: own.key };
    await betweenServers(
      (between) =>
        withOneAddress(async ({ port, behind }) => {
          const { blue, green } = between['colours'] as Record<'blue' | 'green', { server: object }>;
          const by = (ca: string) => {
            const verified = { host: 'localhost', sslmode: 'verify-full', ca, subscriberCa: own.cert };
            return {
              blue: { ...blue, server: { ...blue.server, ...verified } },
              green: { ...green, server: { ...green.server, ...verified } },
            };
          };
          const secrets = { app: path.join(folder, 'app'), reader: path.join(folder, 'reader') };
          await writeFile(secrets.app, credentials.shop_app);
          await writeFile(secrets.reader, credentials.shop_reader);
          const passwords = { shop_app: { file: secrets.app }, shop_reader: { file: secrets.reader } };
          const traffic = { kind: 'routers', address: `127.0.0.1:${port}` };
          const declaration = { ...between, colours: by(own.cert), local: { passwords }, traffic };
          await withBench({ declaration, existing: credentials }, async (bench) => {
            const misled = path.join(folder, 'misled.json');
            const declared = JSON.parse(await readFile(bench.declaration, 'utf8')) as object;
            await writeFile(misled, JSON.stringify({ ...declared, colours: by(stranger.cert) }));
            const wrong = await startFollowing(misled, bench.home, 'wrong');
            await ending([wrong], async () => {
              await wrong.serves();
              expect((await failure(bench.operator(tryTraffic))).message).toContain('self-signed');
              wrong.kill('SIGTERM');
              await wrong.ended;
            });
            const router = await startFollowing(bench.declaration, bench.home, 'a');
            await ending([router], async () => {
              await router.serves();
              behind.add(router.port);
              for (const each of ['seed', 'migrate', 'verify'] as const) await bench.verb(each);
              const second = 'another secret';
              await writeFile(secrets.app, second);
              expect(await rotate(bench, 'shop_app', { grace: 1 })).toMatchObject({ login: 'shop_app_1' });
              const client = {
                host: '127.0.0.1',
                port: router.port,
                user: 'shop_app_1',
                password: second,
                database: 'shop',
              };
              const first = { ...client, user: 'shop_app', password: credentials.shop_app };
              const former = failure(withPooledSession(first, 'test', (session) => session.query('SELECT')));
              expect(await former).toMatchObject({ code: '28P01' });
              await withPooledSession(client, 'test', async (session) => {
                const seen = async (colour: Colour) => ({
                  ...(await one<object>(session, who)),
                  ...(await bench.on(colour, (client) => one<object>(client, how))),
                });
                expect(await seen('blue')).toEqual({ server: 'their-blue', role: 'shop_app', ssl: true });
                await bench.verb('switch');
                expect(await seen('green')).toEqual({ server: 'their-green', role: 'shop_app', ssl: true });
              });
            });
          });
        }),
      [major, major],
      tls,
      tls,
    );
  });
});
