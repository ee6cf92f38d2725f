import { asLogin, type Client } from '../../postgres/client.ts';
import { compareVersions } from '../engines/sql/files.ts';
import { readBackfills, type Backfill } from './files.ts';
import { hasTarget } from './plan.ts';
import { isDone, readProgress } from './progress.ts';
import { runBackfill, type BackfillReport, type BackfillRun } from './run.ts';
import { readTables } from '../../postgres/catalogue.ts';

/**
 * Runs the backfills of a folder where nobody is to be yielded to: on a database that is being made, or that is thrown
 * away. Of versions below `before`, where it is given. Those whose columns are not there yet wait for their migration.
 */
export async function fillAll(
  { client, ...as }: { readonly client: Client } & Pick<BackfillRun, 'operator' | 'owner'>,
  folder: string,
  release: string,
  signal: AbortSignal,
  before?: string,
  around: (backfill: Backfill, work: () => Promise<void>) => Promise<void> = (_, work) => work(),
): Promise<BackfillReport[]> {
  const reports: BackfillReport[] = [];
  for (const backfill of await readBackfills(folder)) {
    if (before !== undefined && compareVersions(backfill.version, before) >= 0) continue;
    const progress = await asLogin(client, () => readProgress(client));
    if (isDone(backfill, progress) || !hasTarget(await readTables(client), backfill)) continue;
    const calm = { lag: () => Promise.resolve(undefined), active: () => Promise.resolve(0) };
    await around(backfill, async () => {
      reports.push(
        await runBackfill(client, backfill, {
          ...as,
          release,
          onCandidate: false,
          again: false,
          pressure: calm,
          lagLimit: Infinity,
          signal,
          onProgress: () => undefined,
        }),
      );
    });
  }
  return reports;
}
