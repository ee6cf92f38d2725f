import { setTimeout as pause } from 'node:timers/promises';
import { other } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { PlannedStatement } from '../../migrations/data/plan.ts';
import { judgeBeforeSeed } from '../../migrations/engines/declared.ts';
import { chooseEngine, readingEngine } from '../../migrations/engines/choose.ts';
import type { PlannedShape } from '../../migrations/shapes/in-files.ts';
import type { Finding } from '../../model/finding.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { readJournal } from '../engine/ledger.ts';
import { foreseenFindings } from '../gates/foreseen.ts';
import { withObserver } from '../observer.ts';

/** Milliseconds in which the live colour has to answer: a plan is made where it is down, too. */
const patience = 10_000;

/** What the folder is at fault for, judged by the live colour's tables and histories: no lack of an answer. */
const foldersFault: ReadonlySet<string> = new Set([
  'backfill-invalid',
  'contract-note',
  'data-statement-mixed',
  'data-statement-session',
  'data-statement-superuser',
  'data-statement-triggers',
  'engine-unclear',
  'history-unclear',
  'live-writes-undeclared',
  'migration-baseline',
  'migration-changed',
  'migration-forbidden',
  'migration-half-done',
  'migration-list',
  'migration-out-of-order',
  'migrations-of-tool',
  'not-utf8',
  'place-note',
  'psql-command',
  'sql-syntax',
  'superuser-note',
]);

interface PlannedFiles {
  readonly data?: readonly Omit<PlannedStatement, 'at' | 'superuser'>[];
  readonly shapes?: readonly PlannedShape[];
  /** What `preflight` and the beginning of `release` refuse of them. */
  readonly refused?: readonly Finding[];
  /** Why the live colour could not be asked. */
  readonly dataUnknown?: string;
}

/**
 * Where statements of the declared migrations that write rows will run, by the live colour's tables as they are now,
 * and what its files that are pending do to the schema. Writes nothing.
 */
export async function plannedFiles(parts: {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly signal: AbortSignal;
}): Promise<PlannedFiles> {
  const { live: named } = await readJournal(parts.platform.journal);
  const { migrations, engine } = parts.environment.colours[other(named)] ?? {};
  if (migrations === undefined) return {};
  const asking = withObserver({ ...parts, emit: () => undefined, looking: true }, (c) =>
    c.look(c.live, async (live): Promise<PlannedFiles> => {
      await judgeBeforeSeed(live, { migrations, engine });
      const chosen = await chooseEngine(migrations, engine, live);
      const planned = (await chosen.data?.(live)) ?? [];
      const data = planned.map(({ at: _at, superuser: _superuser, ...said }) => said);
      const shapes = await chosen.shapes?.(live);
      const refused = await foreseenFindings(c);
      return {
        ...(data.length > 0 ? { data } : {}),
        ...(shapes ? { shapes } : {}),
        ...(refused.length > 0 ? { refused } : {}),
      };
    }),
  );
  asking.catch(() => undefined);
  const late = new AbortController();
  const fromFiles = async (why: string): Promise<PlannedFiles> => {
    const shapes = await (await readingEngine(migrations, engine)).shapes?.();
    return { ...(shapes ? { shapes } : {}), dataUnknown: why };
  };
  try {
    const planned = await Promise.race([asking, pause(patience, 'late' as const, { signal: late.signal })]);
    return planned === 'late' ? await fromFiles(`the live colour did not answer within ${patience / 1000} s`) : planned;
  } catch (error) {
    if (error instanceof VerdigrisError && foldersFault.has(error.id)) throw error;
    return await fromFiles(describe(error));
  } finally {
    late.abort();
  }
}
