import { count } from '../../../model/count.ts';
import { finding } from '../../../model/finding.ts';
import type { Client } from '../../../postgres/client.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { serverNumbers } from '../../../postgres/preflight/server-numbers.ts';
import { advanceTransactionIds } from '../../../postgres/transaction-ids.ts';
import { carryGlobals } from '../../../postgres/globals/carry.ts';
import { carrySequences } from '../../../postgres/sequences.ts';
import { carryHistories } from '../../../postgres/tool-history/carry.ts';
import type { Context } from '../../engine/context.ts';
import { tablesAt } from '../../engine/part.ts';
import { scopeOf } from '../../engine/scope.ts';
import type { Step } from '../../engine/operation.ts';
import { carryFacts } from '../kept-facts.ts';
import { tellHiddenCode } from './hidden-code.ts';

/** Where the application stores transaction ids: asked before the hold, while nobody waits. */
const storing = new WeakMap<Context, boolean>();

/** Transaction ids that the live colour may use up between here and the fence, beside what is replicated. */
const ahead = 10_000;

/** Used up in less than half a second, while clients wait. */
const mostHeld = 20_000;

/** Most of it moves rarely: under the fence only what moved since is carried again. */
export const carry: Step = {
  id: 'carry',
  title: 'carry beforehand what replication does not',
  why: 'under the fence, while clients wait, only what changed since is left',
  risk: 'none for the live colour: the other one is closed to all but replication',
  async run(c) {
    const carried = await c.on(c.live, async (from) => {
      await ensureControlSchema(from);
      return c.on(c.idle, async (to) => {
        await ensureControlSchema(to);
        const globals = await carryGlobalsOf(c, from, to);
        const history = await carryHistories(from, to, (use) => c.asLocker(c.idle, use));
        const stored = (await serverNumbers(from)).filter(({ transactions }) => transactions);
        storing.set(c, stored.length > 0);
        if (stored.length > 0) await carryTransactionIds(c, from, to, stored);
        return [
          count(await carrySequences(from, to), 'sequence'),
          `${count(globals, 'change')} of roles and settings`,
          `${count(history, 'row')} of tools' histories`,
        ].join(', ');
      });
    });
    if (!c.isInside) await tellHiddenCode(c);
    return [carried, ...(await carryFacts(c))].join(', ');
  },
};

/** A server that serves others too keeps its roles and settings as they are. */
export async function carryGlobalsOf(c: Context, from: Client, to: Client): Promise<number> {
  return tablesAt(c, c.idle) === undefined ? carryGlobals(from, to, scopeOf(c)) : 0;
}

async function carryTransactionIds(
  c: Context,
  from: Client,
  to: Client,
  stored: readonly { readonly name: string }[],
): Promise<void> {
  const behind = await advanceTransactionIds(from, to, ahead, c.signal);
  if (behind === 0) return;
  const told = finding('server-numbers', {
    objects: stored.map(({ name }) => name),
    reason:
      `Transaction ids of ${c.idle} are ${behind} behind those of ${c.live}: ` +
      'new ones are lower than those in these columns, and a reader that asks for higher ones passes rows over.',
  });
  c.emit({ type: 'finding', gate: 'switch', finding: told });
}

export const sequences: Step = {
  id: 'sequences',
  title: 'carry sequences and roles over',
  why: 'replication does not carry them; what changed since they were carried beforehand is left',
  risk: 'leaves gaps of at least 32 numbers',
  async run(c) {
    return c.on(c.live, (from) =>
      c.on(c.idle, async (to) => {
        const globals = await carryGlobalsOf(c, from, to);
        const history = await carryHistories(from, to, (use) => c.asLocker(c.idle, use));
        if (storing.get(c) === true) await advanceTransactionIds(from, to, 0, c.signal, mostHeld);
        return [
          `${await carrySequences(from, to)} had moved`,
          ...(history > 0 ? [`and ${history} rows of tools' histories`] : []),
          ...(globals > 0 ? [`and ${globals} changes of roles and settings`] : []),
        ].join(', ');
      }),
    );
  },
};
