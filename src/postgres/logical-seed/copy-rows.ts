import { describe } from '../../model/errors.ts';
import { withTransaction, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { withOwnSession } from '../session.ts';
import { ident, literal } from '../quote.ts';
import { readersOf, writerOf } from '../readers.ts';
import { yieldToClients } from './pressure.ts';
import { copyIn, copyOut, type PageRange, type RowSource } from './ranges.ts';
import { relay } from './relay.ts';
import { inParallel } from './workers.ts';
import { copyFailed } from './copy-failed.ts';

export interface RowCopy {
  readonly live: ConnectionSettings;
  readonly candidate: ConnectionSettings;
  /** Sessions of each side at a time. */
  readonly workers: number;
  /** Others' sessions at work on the live server above which the next piece waits. */
  readonly busy: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SeedProgress) => void;
}

export interface SeedProgress {
  readonly what: string;
  readonly done: number;
  readonly total: number;
  /** Bytes as they lie on the live server. */
  readonly unit: 'bytes' | 'indexes';
}

/** What an earlier attempt copied goes; what CREATE EXTENSION made stays. */
export async function emptyTables(candidate: Client, sources: readonly RowSource[]): Promise<void> {
  const own = sources.filter(({ condition }) => condition === null);
  await withTransaction(candidate, async () => {
    if (own.length > 0)
      await candidate.query(`TRUNCATE ONLY ${own.map(({ schema, name }) => ident(schema, name)).join(', ONLY ')}`);
    for (const { schema, name, condition } of sources)
      if (condition !== null) await candidate.query(`DELETE FROM ONLY ${ident(schema, name)} ${condition}`);
  });
}

/**
 * Copies the ranges as the exported snapshot shows them. Any failure leaves tables half full: to be emptied before the
 * next attempt. A row that is read or written has policies, domains, generated columns and CHECK constraints evaluated,
 * which are code of the tables' owners: sessions of those who may read rows, or write them, and nothing else.
 */
export async function copyRows(ranges: readonly PageRange[], snapshot: string, copy: RowCopy): Promise<number> {
  const total = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
  let [done, rows] = [0, 0];
  const { reader } = await withOwnSession(copy.live, 'seed', (live) => readersOf(live, copy.live));
  const locker = await withOwnSession(copy.candidate, 'seed', (candidate) => writerOf(candidate, copy.candidate));
  await inParallel(ranges, copy.workers, (next) =>
    withOwnSession(reader, 'seed', (live) =>
      withOwnSession(locker, 'seed', async (candidate) => {
        await live.query(
          `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${literal(snapshot)}`,
        );
        // Bytes without an encoding are sent as they lie: a client that has one is refused what is not of it.
        for (const each of [live, candidate]) await each.query(asBytes);
        // Whoever notes that all are there waits for the disk, and with that for all of it.
        await candidate.query('SET synchronous_commit = off');
        for (let range = next(); range !== undefined; range = next()) {
          await yieldToClients(live, copy.busy, copy.signal);
          rows += await copyRange(live, candidate, range, copy.signal);
          done += range.bytes;
          copy.onProgress({ what: `${range.table.schema}.${range.table.name}`, done, total, unit: 'bytes' });
        }
        await live.query('COMMIT');
      }),
    ),
  );
  return rows;
}

const asBytes =
  "SELECT set_config('client_encoding', 'SQL_ASCII', false) WHERE current_setting('server_encoding') = 'SQL_ASCII'";

async function copyRange(live: Client, candidate: Client, range: PageRange, signal: AbortSignal): Promise<number> {
  try {
    return await relay(live, copyOut(range), candidate, copyIn(range), signal);
  } catch (cause) {
    signal.throwIfAborted();
    const table = `${range.table.schema}.${range.table.name}`;
    throw copyFailed(
      `The rows of ${table} could not be copied: ${describe(cause)}.`,
      'the rows are copied from a new snapshot.',
      { table },
      cause,
    );
  }
}
