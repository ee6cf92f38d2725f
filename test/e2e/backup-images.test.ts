import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parkedFile, startScript } from '../../src/manifests/settings.ts';
import { waitFor } from '../../src/model/wait.ts';
import { dataDirectory, type Server } from '../../src/platform/local/server.ts';
import { withBackupMode } from '../../src/postgres/backup.ts';
import { crossBarrier } from '../../src/postgres/barrier.ts';
import { cleanCopy } from '../../src/postgres/clean-copy.ts';
import { one, type Client } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { parkedPosition } from '../../src/postgres/position.ts';
import { promoteServer } from '../../src/postgres/promote.ts';
import { createSlot } from '../../src/postgres/stream/slot.ts';
import { enableStream, startAt, subscribe } from '../../src/postgres/stream/subscription.ts';
import { ensureReplicationRole } from '../../src/postgres/stream/source.ts';
import { publish, unpublish } from '../../src/postgres/stream/publication.ts';
import { connectionTo, temporaryFolder, withDatabase } from '../support/postgres.ts';
import { freePort } from '../../src/platform/local/ports.ts';

const images = 5;
const stop = new AbortController().signal;

/** Writers that fill segments and tear pages, until `use` has run. */
async function loading<T>(settings: ConnectionSettings, use: () => Promise<T>): Promise<T> {
  let done = false;
  const writers = [
    'INSERT INTO load (text) SELECT repeat(md5(random()::text), 12) FROM generate_series(1, 150)',
    'INSERT INTO load (text) VALUES (md5(random()::text))',
    'UPDATE load SET touched = touched + 1 WHERE id IN (SELECT 1 + (random() * 5000)::bigint FROM generate_series(1, 20))',
  ].map((statement) =>
    withClient(settings, 'load', async (client) => {
      await client.query('SET synchronous_commit = off');
      while (!done) await client.query(statement);
    }),
  );
  try {
    return await use();
  } finally {
    done = true;
    await Promise.all(writers);
  }
}

/** A folder as a candidate's pod has it, and its server by the pod's own start script. */
class Pod {
  readonly folder: string;
  readonly port: number;
  readonly live: Server;
  #stop: () => Promise<unknown> = () => Promise.resolve();

  constructor(folder: string, port: number, live: Server) {
    this.folder = folder;
    this.port = port;
    this.live = live;
  }

  get connection(): ConnectionSettings {
    return { ...connectionTo(this.live, 'test'), host: this.folder, port: this.port };
  }

  get #as(): object {
    return this.live.account ? { uid: this.live.account.uid, gid: this.live.account.gid } : {};
  }

  async make(): Promise<void> {
    for (const each of ['bin', 'etc', 'volume', 'log']) await mkdir(path.join(this.folder, each));
    await writeFile(
      path.join(this.folder, 'etc/settings'),
      `port=${this.port}\nunix_socket_directories=${this.folder}\nlisten_addresses=\nwal_level=logical\nmax_logical_replication_workers=4\nhot_standby=on\n`,
    );
    await writeFile(path.join(this.folder, 'etc/parked'), parkedFile);
    await writeFile(path.join(this.folder, 'bin/docker-entrypoint.sh'), '#!/bin/bash\nexec "$@"\n');
    await chmod(path.join(this.folder, 'bin/docker-entrypoint.sh'), 0o755);
    const { account } = this.live;
    if (account)
      for (const each of ['', 'volume', 'log']) await chown(path.join(this.folder, each), account.uid, account.gid);
  }

  /** File after file, as a driver does that is not atomic; what vanishes meanwhile is passed over. */
  async copy(what: 'data' | 'log'): Promise<void> {
    const from = dataDirectory(this.live);
    if (what === 'data')
      await execa('cp', ['-r', from, path.join(this.folder, 'volume/pgdata')], { reject: false, ...this.#as });
    else
      await execa('cp', ['-r', path.join(from, 'pg_wal'), path.join(this.folder, 'log/pg_wal')], {
        reject: false,
        ...this.#as,
      });
  }

  async boot(env: Record<string, string>): Promise<void> {
    await this.end();
    const { bin } = this.live.binaries;
    const server = execa('bash', ['-c', startScript.replaceAll('/etc/verdigris', `${this.folder}/etc`)], {
      env: {
        PATH: `${this.folder}/bin:${bin}:${process.env['PATH'] ?? ''}`,
        PGDATA: `${this.folder}/volume/pgdata`,
        ...env,
      },
      reject: false,
      cwd: this.folder,
      ...this.#as,
    });
    this.#stop = () => (server.kill('SIGINT'), server);
    await waitFor(async () => withClient(this.connection, 'test', () => Promise.resolve(true)).catch(() => undefined), {
      limit: 60_000,
      every: 50,
      what: 'the copy',
      next: 'see its log',
    });
  }

  async end(): Promise<void> {
    await this.#stop();
  }
}

const content = (client: Client) =>
  one(
    client,
    'SELECT count(*)::int AS rows, sum(touched)::int AS touched, md5(string_agg(id || text || touched, chr(10) ORDER BY id)) AS digest FROM load',
  );

test(`${images} images of a server under load, copied file by file in backup mode and booted by the pod's script: each exact`, async () => {
  await withDatabase(
    async (live, server) => {
      const source = connectionTo(server, 'test');
      await live.query(
        `CREATE TABLE load (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL,
          touched int NOT NULL DEFAULT 0); INSERT INTO load (text) SELECT md5(n::text) FROM generate_series(1, 5000) n`,
      );
      await ensureControlSchema(live);
      await ensureReplicationRole(live, undefined);
      for (let image = 1; image <= images; image++) {
        const name = `image_${image}`;
        const pod = new Pod(await temporaryFolder(), await freePort(), server);
        try {
          await pod.make();
          await loading(source, async () => {
            await publish(live, name, [{ table: { schema: 'public', name: 'load' } }]);
            await createSlot(live, name, 10_000);
            const { label } = await withBackupMode(live, name, () => pod.copy('data'));
            await pod.copy('log');
            await pod.boot({
              VERDIGRIS_PARKED: name,
              VERDIGRIS_BACKUP_LABEL: label,
              VERDIGRIS_LOG: `${pod.folder}/log/pg_wal`,
            });
            const position = await withClient(pod.connection, 'test', async (client) => {
              const found = await parkedPosition(client, 60_000);
              await promoteServer(client, stop);
              await cleanCopy(client);
              return found ?? '';
            });
            await pod.boot({});
            await withClient(pod.connection, 'test', async (client) => {
              await subscribe(client, name, `host=${server.sockets} port=${server.port}`, 'test');
              await startAt(live, client, name, position);
              await enableStream(client, name);
            });
          });
          await withClient(pod.connection, 'test', async (client) => {
            await crossBarrier(live, client, name, 60_000, stop);
            expect(await content(client), name).toEqual(await content(live));
          });
        } finally {
          await pod.end();
          await unpublish(live, name);
          await rm(pod.folder, { recursive: true, force: true });
        }
      }
    },
    { max_slot_wal_keep_size: '4GB' },
  );
});
