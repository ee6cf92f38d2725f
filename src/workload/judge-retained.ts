import { rows, type Client } from '../postgres/client.ts';
import { lister } from './lister.ts';
import type { Counted } from './verdict.ts';

/** What the retained colour holds that the live one does not: writes that went to the wrong side. */
export interface RetainedVerdict {
  readonly ok: boolean;
  /** Distinct writes on the retained colour. */
  readonly compared: number;
  readonly onlyOnRetained: Counted;
}

/** Writes compared at a time. */
const page = 10_000;

/**
 * Looks for every entry of the retained colour on the live one, of all runs, each as often. Entries are read from the
 * retained colour first, so that what reverse replication brings meanwhile is on the live colour already.
 */
export async function judgeRetained(retained: Client, live: Client): Promise<RetainedVerdict> {
  const onlyOnRetained = lister();
  type Key = { run: string; writer: number; sequence: string; times: string };
  let compared = 0;
  for (let after: readonly unknown[] = ['', -1, '-1']; ;) {
    const keys = await rows<Key>(
      retained,
      `
      SELECT run, writer, sequence, count(*) AS times FROM workload.entry WHERE (run, writer, sequence) > ($1, $2, $3::bigint)
      GROUP BY run, writer, sequence ORDER BY run, writer, sequence LIMIT ${page}`,
      after,
    );
    const missing = await rows<Key>(
      live,
      `
      SELECT k.* FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) AS k(run, writer, sequence, times)
      WHERE (SELECT count(*) FROM workload.entry e WHERE e.run = k.run AND e.writer = k.writer AND e.sequence = k.sequence) < k.times`,
      [
        keys.map(({ run }) => run),
        keys.map(({ writer }) => writer),
        keys.map(({ sequence }) => sequence),
        keys.map(({ times }) => times),
      ],
    );
    compared += keys.length;
    for (const { run, writer, sequence } of missing) onlyOnRetained.add(`run ${run}, writer ${writer} #${sequence}`);
    const last = keys.at(-1);
    if (!last || keys.length < page) {
      const listed = onlyOnRetained.listed();
      return { ok: listed.count === 0, compared, onlyOnRetained: listed };
    }
    after = [last.run, last.writer, last.sequence];
  }
}
