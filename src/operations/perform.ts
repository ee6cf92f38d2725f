import { observedOf, plan, type Planned } from '../model/plan.ts';
import { pathOf, type State, type Verb } from '../model/transitions.ts';
import type { Context } from './engine/context.ts';
import { requireSameDatabases } from './gates/databases.ts';
import { requireSamePart, requireWhole } from './gates/part.ts';
import { execute } from './engine/engine.ts';
import { declaredNow } from './gates/folders.ts';
import { withFlags } from './flags/turn.ts';
import { reportFailure, requirePlaces, withHooks } from './hooks/steps.ts';
import { operationHere, type PerformOptions } from './table.ts';
import { rotateDeclared } from './verbs/rotate-declared.ts';

/** Runs one verb from its gates to its end. */
export async function perform(c: Context, verb: Verb, options: PerformOptions = {}): Promise<void> {
  const plain = operationHere(c.platform.servers, c.live, verb, options);
  requirePlaces(plain, c.environment.hooks);
  const operation = withHooks(withFlags(plain, c.environment.flagStores), c.environment.hooks);
  const { from, to } = pathOf(operation);
  // The recovery before this has finished the verb already, or undone the seed that was to be abandoned.
  if (c.recovered === 'continued' && c.journal.state === to && !from.includes(to)) return;
  if (c.recovered === 'reverted' && verb === 'abandon' && c.journal.state === 'single') return;
  c.emit({
    type: 'operation',
    verb,
    phase: 'start',
    title: `${verb}: ${from.includes(c.journal.state) ? c.journal.state : from.join(' or ')} → ${to}`,
  });
  if (verb !== 'abandon') {
    requireSameDatabases(c);
    requireSamePart(c);
  }
  if (operation.kind === 'lossy') requireWhole(c, 'a lossy rollback');
  try {
    await execute(c, operation);
  } catch (error) {
    await reportFailure(c, verb, new Date().toISOString(), error);
    throw error;
  }
}

/**
 * Rotates passwords where that is declared, then walks the plan to what is declared, or as far as `goal`; every gate on
 * the way may stop it.
 */
export async function performRelease(
  c: Context,
  goal: State | undefined,
  options: PerformOptions = {},
): Promise<readonly Planned[]> {
  await rotateDeclared(c);
  const observed = observedOf(c.journal, await c.platform.history.list());
  const planned = plan(await declaredNow(c.environment), observed, goal);
  for (const { verb, kind } of planned) await perform(c, verb, { ...options, lossy: kind === 'lossy' });
  return planned;
}
