import type { Environment } from '../../model/environment.ts';
import { refusals } from '../../model/finding.ts';
import type { Journal } from '../../model/journal.ts';
import { possible } from '../../model/transitions.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { readJournal } from '../engine/ledger.ts';
import type { GateNow } from './gate.ts';

/** Milliseconds for the gate to answer: who looks is waiting. */
const limit = 20_000;

/**
 * What would refuse, now, to move the writes, forward or back without loss: a gate sees what no state promises, such as
 * a transaction that somebody left open. Undefined where no such step is next, or one is under way.
 */
export async function gateOfMoving(environment: Environment, platform: Platform): Promise<GateNow | undefined> {
  const journal = await readJournal(platform.journal);
  const next = movesWrites(journal);
  if (!next) return undefined;
  // Loaded only here: the gates bring every verb along, which is half of what a `status` would load.
  const { gateNow } = await import('./gate.ts');
  const gate = await gateNow(environment, platform, next, limit);
  return { ...gate, findings: refusals(gate.findings) };
}

function movesWrites({ state, operation }: Journal) {
  if (operation) return undefined;
  return possible(state).find(({ verb, kind }) => verb === 'switch' || kind === 'lossless');
}
