import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withBalancer } from '../support/balancer.ts';
import { withEnvironment } from '../support/environment.ts';
import { declaredServer, fillShop, withExternalServer, type ExternalFixture } from '../support/external.ts';
import { declaredPgBouncers, hasPgBouncer, withPgBouncer } from '../support/pgbouncer.ts';
import { temporaryFolder, testMajor } from '../support/postgres.ts';
import { logged, SecretWatch, verifiersOf } from '../support/secret-watch.ts';
import { fillBilling, inBilling } from '../support/two-databases.ts';

beforeAll(withNewestPgDump);

/** Where hooks, chats and flags are asked: it answers everything. */
async function withReceiver<T>(use: (url: string) => Promise<T>): Promise<T> {
  const receiver = createServer(
    (request, response) => void request.resume().on('end', () => response.writeHead(200).end('{}')),
  );
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}`);
  } finally {
    receiver.close();
  }
}

/** What a declaration has of hooks, notifications and flags, their secrets in the environment. */
function told(url: string, file: string, watch: SecretWatch): Record<string, unknown> {
  const [hook, chat, flag, mail] = ['hook', 'chat', 'flag', 'mail'].map(unique) as [string, string, string, string];
  for (const secret of [hook, chat, flag, mail]) watch.secrets.add(secret);
  vi.stubEnv('HOOK_SECRET', hook);
  vi.stubEnv('CHAT_URL', `${url}/${chat}`);
  vi.stubEnv('FLAG_TOKEN', flag);
  vi.stubEnv('MAIL_URL', `smtp://a:${mail}@127.0.0.1:1`);
  return {
    flags: { checkout: { release: '2' } },
    flagStores: {
      file: { flagd: { file } },
      unleash: { unleash: { url, project: 'p', environment: 'production', tokenEnv: 'FLAG_TOKEN' } },
    },
    hooks: {
      asked: { before: ['switch'], blocking: true, http: { url: `${url}/asked`, secretEnv: 'HOOK_SECRET' } },
      chat: { after: ['switch'], slack: { urlEnv: 'CHAT_URL' } },
      mail: {
        after: ['switch'],
        limit: '1s',
        mail: { urlEnv: 'MAIL_URL', from: 'a@shop.example', to: ['b@shop.example'] },
      },
      note: { after: ['verify'], sql: { statement: 'SELECT 1', on: 'live', role: 'shop_app' } },
    },
  };
}

test(
  'with everything logged, no verb leaves a secret anywhere with two databases, hooks, mail and flags',
  { timeout: 600_000 },
  async () => {
    const watch = new SecretWatch({ mayInherit: true });
    await withReceiver(async (url) => {
      const folder = await temporaryFolder();
      const file = path.join(folder, 'flags.json');
      await writeFile(file, '{ "flags": {} }\n');
      const declaration = { databases: ['billing'], ...told(url, file, watch) };
      try {
        await withEnvironment({ settings: logged, declaration }, async (environment) => {
          const { verb, credentials, home, events, on } = environment;
          for (const password of Object.values(credentials)) watch.secrets.add(password);
          await inBilling(environment, 'blue', fillBilling);
          await watch.during(async () => {
            for (const each of ['seed', 'migrate', 'verify', 'switch', 'retire'] as const) await verb(each);
          });
          for (const verifier of await on('green', verifiersOf)) watch.secrets.add(verifier);
          const { logs, places } = await watch.found([home, folder], [JSON.stringify(events)]);
          expect(logs).toContain('CREATE PUBLICATION');
          expect(places).toEqual([]);
        });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);

/** Other tests, at the same time, put theirs into command lines. */
const unique = (name: string): string => `${name}-${randomBytes(9).toString('base64url')}`;

const theirs = { shop_app: unique('app'), shop_reader: unique('reader') };

type Path = (
  here: ExternalFixture,
  folder: string,
  watch: SecretWatch,
  use: (traffic: object) => Promise<void>,
) => Promise<void>;

const paths: Readonly<Record<string, Path>> = {
  PgBouncer: async (here, folder, watch, use) => {
    const password = path.join(folder, 'console');
    const users = { ...theirs, pooler_admin: unique('admin') };
    await writeFile(password, users.pooler_admin);
    watch.secrets.add(users.pooler_admin);
    await withPgBouncer(
      { host: '127.0.0.1', port: here.port },
      users,
      (port, config) => use({ ...declaredPgBouncers([{ port, config }]), password: { file: password } }),
      'shop',
    );
  },
  'a program of their own': (_here, _folder, _watch, use) =>
    withBalancer(({ port, program }) => use({ kind: 'command', command: [program], address: `127.0.0.1:${port}` })),
};

describe.each(Object.entries(paths))('clients by %s', (name, withPath) => {
  test.runIf(name !== 'PgBouncer' || hasPgBouncer)(
    'nor on servers, poolers and a journal that others run',
    { timeout: 600_000 },
    async () => {
      const watch = new SecretWatch({ mayInherit: true });
      const folder = await temporaryFolder();
      const secret = async (file: string, text: string) => {
        watch.secrets.add(text);
        await writeFile(path.join(folder, file), text);
        return { file: path.join(folder, file) };
      };
      const servers = (use: (here: ExternalFixture, keeper: ExternalFixture) => Promise<void>) =>
        withExternalServer(
          testMajor,
          (keeper) =>
            withExternalServer(testMajor, (here) => use(here, keeper), { ...logged, cluster_name: 'their-blue' }),
          logged,
        );
      await servers(async (here, keeper) => {
        await fillShop(here, theirs);
        // What the test itself wrote.
        await writeFile(here.log, '');
        await withExternalServer(
          testMajor,
          (there) =>
            withPath(here, folder, watch, (traffic) =>
              withReceiver(async (url) => {
                const file = path.join(folder, 'flags.json');
                await writeFile(file, '{ "flags": {} }\n');
                const passwords = {
                  shop_app: await secret('app', theirs.shop_app),
                  shop_reader: await secret('reader', theirs.shop_reader),
                };
                watch.secrets.add(here.superuser.password ?? '');
                const journal = {
                  ...{ kind: 'postgres', host: '127.0.0.1', port: keeper.port, database: 'postgres', user: 'postgres' },
                  ...{ password: { file: keeper.passwordFile }, sslmode: 'disable' },
                };
                const declaration = {
                  colours: {
                    blue: { release: '1', postgres: testMajor, server: declaredServer(here) },
                    green: { release: '2', postgres: testMajor, server: declaredServer(there) },
                  },
                  local: { passwords },
                  ...{ traffic, journal },
                  ...told(url, file, watch),
                };
                await withEnvironment({ declaration, existing: theirs }, async (environment) => {
                  const { verb, home, events, platform, on } = environment;
                  await watch.during(async () => {
                    for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback'] as const) {
                      await verb(each);
                      for (const colour of ['blue', 'green'] as const)
                        for (const verifier of await on(colour, verifiersOf)) watch.secrets.add(verifier);
                    }
                    await verb('abandon');
                  });
                  const { password } = await platform.servers.connection('blue');
                  watch.secrets.add(password ?? '');
                  watch.secrets.add((await platform.servers.replicationPassword?.()) ?? '');
                  const own = ['app', 'reader', 'console'].map((each) => path.join(folder, each));
                  const { places } = await watch.found([home, folder], [JSON.stringify(events)], own);
                  const logsOfServers = await Promise.all(
                    [here, there, keeper].map(({ log }) => readFile(log, 'latin1')),
                  );
                  expect(logsOfServers.join('')).toContain('CREATE PUBLICATION');
                  const lines = logsOfServers.flatMap((text) => text.split('\n'));
                  const written = [...watch.secrets].flatMap((each) => lines.filter((line) => line.includes(each)));
                  expect([...places, ...written]).toEqual([]);
                });
              }),
            ),
          { ...logged, cluster_name: 'their-green' },
        );
      });
      await rm(folder, { recursive: true, force: true });
    },
  );
});
