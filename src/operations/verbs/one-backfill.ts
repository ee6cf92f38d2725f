import type { Backfill } from '../../migrations/backfill/files.ts';
import { runBackfill, type BackfillProgress, type BackfillReport } from '../../migrations/backfill/run.ts';
import type { Pressure } from '../../migrations/backfill/throttle.ts';
import { one, type Client } from '../../postgres/client.ts';
import { readSlot } from '../../postgres/stream/slot.ts';
import type { Context } from '../engine/context.ts';

/** What backfills yield to: replication from the live colour, and its clients. */
export function pressureOf(c: Context): Pressure {
  return {
    lag: async () => {
      const { stream } = c.journal;
      return stream ? c.on(stream.from, async (client) => (await readSlot(client, stream.name))?.behind) : undefined;
    },
    active: async () =>
      (
        await c.on(c.live, (client) =>
          one<{ n: number }>(
            client,
            "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND usename NOT LIKE 'verdigris%'",
          ),
        )
      ).n,
  };
}

/** Runs one backfill, in a session of its owner's. */
export function oneBackfill(
  c: Context,
  session: { readonly client: Client; readonly operator: Client; readonly owner: string | undefined },
  backfill: Backfill,
  parts: {
    readonly release: string;
    readonly onCandidate: boolean;
    readonly again: boolean;
    readonly step: string;
    readonly until?: number | undefined;
  },
): Promise<BackfillReport> {
  const { client, operator, owner } = session;
  return runBackfill(client, backfill, {
    ...parts,
    operator,
    owner,
    pressure: pressureOf(c),
    lagLimit: c.environment.limits.lag,
    signal: c.signal,
    onProgress: (progress) => emitProgress(c, parts.step, progress),
  });
}

function emitProgress(
  c: Context,
  step: string,
  { name, seen, total, rowsPerSecond, secondsLeft, waiting }: BackfillProgress,
): void {
  const left =
    secondsLeft === undefined
      ? ''
      : `, about ${secondsLeft < 90 ? `${Math.ceil(secondsLeft)} s` : `${Math.ceil(secondsLeft / 60)} min`} left`;
  c.emit({
    type: 'progress',
    step,
    done: seen,
    total: Math.max(total, seen),
    unit: 'rows',
    note: `${name}: ${Math.round(rowsPerSecond)} rows/s${left}${waiting === undefined ? '' : `, waiting: ${waiting}`}`,
  });
}
