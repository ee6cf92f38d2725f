import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import type { RehearsalReport } from '../../migrations/rehearsal/report.ts';
import { readJournal } from '../../operations/engine/ledger.ts';
import { previewRelease, type Preview } from '../../operations/reads/preview.ts';
import { readStatus } from '../../operations/reads/status.ts';
import type { Status } from '../../operations/reads/status-types.ts';
import type { DrillOutcome } from '../../platform/port/drills.ts';
import type { HistoryEntry } from '../../platform/port/history.ts';
import type { Platform } from '../../platform/port/platform.ts';

/** What can be said of one environment at one moment. */
export interface Look {
  readonly at: string;
  readonly status: Status;
  readonly operation: Journal['operation'];
  /** What was done in this release so far. */
  readonly timeline: Journal['timeline'];
}

/** What changes seldom, or costs its servers something to ask. */
export interface Background {
  readonly preview: Preview | { readonly error: string };
  readonly history: readonly HistoryEntry[];
  readonly drills: readonly DrillOutcome[];
  readonly rehearsals: readonly RehearsalReport[];
}

/** Milliseconds for the gates to answer. */
const patience = 10_000;

/** Fails only where the journal cannot be read. */
export async function lookAt(environment: Environment, platform: Platform): Promise<Look> {
  const [status, { operation, timeline }] = await Promise.all([
    readStatus(environment, platform),
    readJournal(platform.journal),
  ]);
  return { at: new Date().toISOString(), status: heldByJournal(status, operation), operation, timeline };
}

export async function lookBehind(environment: Environment, platform: Platform): Promise<Background> {
  const [preview, history, drills, rehearsals] = await Promise.all([
    previewRelease(environment, platform, patience).then(ofReader, (error: unknown) => ({ error: describe(error) })),
    platform.history.list(),
    platform.drills.list(),
    platform.rehearsals?.() ?? [],
  ]);
  return { preview, history, drills, rehearsals };
}

/** In a cluster only the operator may ask the poolers who is held; the journal knows what was announced to them. */
function heldByJournal(status: Status, operation: Journal['operation']): Status {
  if (status.platform !== 'kubernetes') return status;
  const last = operation?.steps.find(({ id }) => id === 'hold' || id === 'resume');
  const over =
    last === undefined || operation?.phase === 'revert' || (last.id === 'resume' && last.endedAt !== undefined);
  const { clients: _, ...traffic } = status.traffic;
  return { ...status, traffic: { ...traffic, held: over ? undefined : { since: last.startedAt, token: 0 } } };
}

/** The gates judge the role by which they look as if it were the operator's; of a reader that says nothing. */
function ofReader(preview: Preview): Preview {
  const { gate } = preview;
  if (!gate) return preview;
  return { ...preview, gate: { ...gate, findings: gate.findings.filter(({ id }) => id !== 'operator-privileges') } };
}
