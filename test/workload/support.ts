import path from 'node:path';
import { rm } from 'node:fs/promises';
import { operatorRole, type Server } from '../../src/platform/local/server.ts';
import type { Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { accountOf, amountOf } from '../../src/workload/amounts.ts';
import type { WriteAttempt, WorkloadLog } from '../../src/workload/log.ts';
import type { WorkloadOptions } from '../../src/workload/options.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { connectionTo, temporaryFolder } from '../support/postgres.ts';

export const roles = { writer: 'w_app', reader: 'w_reader' };

/** Roles, tables and a folder for logs, on a database `test` that is there. */
export async function withWorkload<T>(server: Server, use: (options: WorkloadOptions) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder();
  try {
    await withClient(connectionTo(server, 'test'), 'test', async (client) => {
      await client.query(`CREATE ROLE ${roles.writer} LOGIN; CREATE ROLE ${roles.reader} LOGIN`);
      await prepareWorkload(client, { roles, writers: 8 });
    });
    return await use({
      writer: connectionTo(server, 'test', roles.writer),
      reader: connectionTo(server, 'test', roles.reader),
      logFile: path.join(folder, 'workload.log'),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A log of `each` acknowledged writes by two writers, one every 10 ms from time 1,000,000, and the rows that belong to
 * it.
 */
export async function madeRun(client: Client, each: number): Promise<WorkloadLog & { attempts: WriteAttempt[] }> {
  await prepareWorkload(client, { roles: { writer: operatorRole, reader: operatorRole }, writers: 2 });
  const attempts = [1, 2].flatMap((writer) =>
    Array.from({ length: each }, (_, index): WriteAttempt => {
      const sent = 1_000_000 + index * 10;
      return {
        writer,
        sequence: index + 1,
        sent,
        acknowledged: { at: sent + 2, latency: 2, colour: 'blue' },
        refused: false,
      };
    }),
  );
  await client.query(
    `
    INSERT INTO workload.entry (run, writer, sequence, amount, account, colour, kind)
    SELECT 'made', w, s, a, c, 'x-blue', 'made' FROM unnest($1::int[], $2::bigint[], $3::int[], $4::int[]) AS made(w, s, a, c)`,
    [
      attempts.map(({ writer }) => writer),
      attempts.map(({ sequence }) => sequence),
      attempts.map(({ writer, sequence }) => amountOf(writer, sequence)),
      attempts.map(({ writer, sequence }) => accountOf(writer, sequence, 2)),
    ],
  );
  await client.query(
    'UPDATE workload.account SET balance = (SELECT coalesce(sum(amount), 0) FROM workload.entry WHERE account = account.id)',
  );
  return {
    run: 'made',
    file: 'made',
    startedAt: 1_000_000,
    stoppedAt: 1_000_000 + each * 10 - 8,
    ended: 'stopped',
    writers: 2,
    attempts,
    errors: [],
  };
}
