import { count } from '../../../model/count.ts';
import type { Client } from '../../../postgres/client.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { carryGlobals } from '../../../postgres/globals/carry.ts';
import { carrySequences } from '../../../postgres/sequences.ts';
import { carryHistories } from '../../../postgres/tool-history/carry.ts';
import type { Context } from '../../engine/context.ts';
import { tablesAt } from '../../engine/part.ts';
import { scopeOf } from '../../engine/scope.ts';
import type { Step } from '../../engine/operation.ts';
import { carryFacts } from '../kept-facts.ts';
import { tellHiddenCode } from './hidden-code.ts';

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
        return [
          `${await carrySequences(from, to)} had moved`,
          ...(history > 0 ? [`and ${history} rows of tools' histories`] : []),
          ...(globals > 0 ? [`and ${globals} changes of roles and settings`] : []),
        ].join(', ');
      }),
    );
  },
};
