import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/model/environment.ts';
import type { ExternalRecord } from '../../../src/platform/external/record.ts';
import { takeOver } from '../../../src/platform/external/take-over.ts';
import { rows } from '../../../src/postgres/client.ts';
import { readLocale } from '../../../src/postgres/create-like.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { operatorRole } from '../../../src/model/names.ts';
import { withExternalServer } from '../../support/external.ts';
import { testMajor } from '../../support/postgres.ts';
import { ExternalServer } from '../../../src/platform/external/server.ts';

/** Comes back at once: what is tested is what is said of a server that does not. */
class Hasty extends ExternalServer {
  protected override readonly answerLimit = 100;
}

const passwords = { operator: { current: 'a', before: [] }, replication: { current: 'b', before: [] } };

test('a server that has no process even for the request for TLS does not run, and is given up', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('Ecould not fork new process for connection\n\0'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const declared = { kind: 'external', host: '127.0.0.1', port, sslmode: 'require' } as const;
  const environment = parseEnvironment(
    {
      name: 'shop',
      platform: 'local',
      database: 'shop',
      roles: { application: ['shop_app'] },
      colours: { blue: { release: '1', postgres: 17, server: declared } },
      live: 'blue',
    },
    'the test',
  );
  let record: ExternalRecord | undefined = { generation: 2, major: 17 };
  const store = {
    read: () => Promise.resolve(record),
    write: (now: ExternalRecord | undefined) => Promise.resolve(void (record = now)),
  };
  const { server: read } = environment.colours.blue ?? {};
  const blue = new Hasty(environment, 'blue', read ?? declared, store, () => Promise.resolve(passwords));
  try {
    expect(await blue.observe()).toMatchObject({ running: false, generation: 2 });
    await expect(blue.start()).rejects.toMatchObject({ id: 'external-down' });
    expect(await blue.remove(2)).toBe(`left at 127.0.0.1:${port}: everything: it does not answer`);
    expect(record).toBeUndefined();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test.each([
  ['max_logical_replication_workers', '0'],
  ['max_worker_processes', '1'],
])(
  'a candidate where no process can apply is refused before anything is made there (%s is %s)',
  async (name, value) => {
    await withExternalServer(
      testMajor,
      async (server) => {
        const colours = { blue: { release: '1', postgres: testMajor }, green: { release: '2', postgres: testMajor } };
        const roles = { application: ['shop_app'] };
        const environment = parseEnvironment(
          { name: 'shop', platform: 'local', database: 'shop', roles, colours, live: 'blue' },
          'the test',
        );
        const own = { ...server.superuser, user: operatorRole };
        const like = await withClient(server.superuser, 'test', readLocale);
        await expect(takeOver(environment, 'green', server.superuser, own, like)).rejects.toMatchObject({
          id: 'external-refused',
          facts: { problems: [expect.stringMatching(/^0 processes are free that could apply changes, and 1 needed/)] },
        });
        const made = 'SELECT FROM pg_roles WHERE rolname = $1';
        expect(await withClient(server.superuser, 'test', (client) => rows(client, made, [operatorRole]))).toEqual([]);
      },
      { [name]: value },
    );
  },
);
