import type { Verb } from '../model/transitions.ts';
import { declaredOf, plan, type Planned } from '../model/plan.ts';
import type { State } from '../model/transitions.ts';
import { abandon } from './verbs/abandon.ts';
import { canary } from './verbs/canary.ts';
import type { Context } from './engine/context.ts';
import { execute } from './engine/engine.ts';
import { migrate } from './verbs/migrate.ts';
import type { Operation } from './engine/operation.ts';
import { retire } from './verbs/retire.ts';
import { rollbackLossless } from './verbs/rollback.ts';
import { rollbackLossy } from './verbs/rollback-lossy.ts';
import { seed } from './verbs/seed.ts';
import { switchOver } from './verbs/switch.ts';
import { verify, type VerifyOptions } from './verbs/verify.ts';

export interface PerformOptions extends VerifyOptions {
  readonly lossy?: boolean | undefined;
  readonly acceptLoss?: boolean | undefined;
  readonly early?: boolean | undefined;
}

/** The operation of a verb. */
export function operationOf(verb: Verb, options: PerformOptions = {}): Operation {
  switch (verb) {
    case 'seed':
      return seed;
    case 'migrate':
      return migrate;
    case 'verify':
      return verify(options);
    case 'canary':
      return canary;
    case 'switch':
      return switchOver;
    case 'rollback':
      return options.lossy ? rollbackLossy({ acceptLoss: options.acceptLoss === true }) : rollbackLossless;
    case 'retire':
      return retire({ early: options.early === true });
    case 'abandon':
      return abandon;
  }
}

/** Runs one verb from its gates to its end. */
export async function perform(c: Context, verb: Verb, options: PerformOptions = {}): Promise<void> {
  const operation = operationOf(verb, options);
  // The recovery before this has finished the verb already, or undone the seed that was to be abandoned.
  if (c.recovered === 'continued' && c.journal.state === operation.to && !operation.from.includes(operation.to)) return;
  if (c.recovered === 'reverted' && verb === 'abandon' && c.journal.state === 'single') return;
  c.emit({
    type: 'operation',
    verb,
    phase: 'start',
    title: `${verb}: ${operation.from.join(' or ')} → ${operation.to}`,
  });
  await execute(c, operation);
}

/** Walks the plan to what is declared, or as far as `goal`; every gate on the way may stop it. */
export async function performRelease(
  c: Context,
  goal: State | undefined,
  options: PerformOptions = {},
): Promise<readonly Planned[]> {
  const planned = plan(declaredOf(c.environment), c.journal, goal);
  for (const { verb, kind } of planned) await perform(c, verb, { ...options, lossy: kind === 'lossy' });
  return planned;
}
