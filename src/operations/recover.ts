import { crashDirection } from '../model/recovery.ts';
import type { Verb } from '../model/transitions.ts';
import { disownLogin } from '../postgres/owner-login.ts';
import type { Context } from './engine/context.ts';
import { inEach, oneByOne } from './engine/each.ts';
import { resumeOperation } from './engine/engine.ts';
import { inFenced } from './engine/fenced.ts';
import { tablesAt } from './engine/part.ts';
import { settleOperation } from './engine/undo.ts';
import { withFlags } from './flags/turn.ts';
import { withHooks } from './hooks/steps.ts';
import { operationOfRecord } from './table.ts';
import { closeStream, reverse } from './verbs/reverse-stream.ts';
import { colours } from '../model/colours.ts';
import { keptOut, unfence } from '../postgres/fence.ts';
import { openTables } from '../postgres/part/fence.ts';
import { closedTables } from '../postgres/part/fence-state.ts';
import { endOperators } from '../postgres/operators.ts';
import { unfinished } from '../model/failures.ts';

/**
 * Settles what a crash left, in the one direction that there is, before anything else is done. `wanted` is the verb
 * about to run: an operation that can be continued is continued for its own verb and for `any`, undone for `abandon`,
 * and left alone for a recovery that only serves clients (undefined).
 */
export async function recover(
  c: Context,
  wanted: Verb | 'any' | undefined,
): Promise<'nothing' | 'continued' | 'reverted' | 'left'> {
  const operation = c.journal.operation
    ? withHooks(withFlags(operationOfRecord(c.journal.operation), c.environment.flagStores), c.environment.hooks)
    : undefined;
  if (!operation) return (await fix(c)) ? 'continued' : 'nothing';
  await endPredecessors(c);
  await disownLogins(c);
  // What is done in a database under a token is in the journal beforehand: should this operator die too, the next one
  // must not find it older.
  await c.ledger.write((journal) => journal);
  const record = c.journal.operation;
  const direction = crashDirection({ verb: operation.verb, phase: record?.phase ?? 'start' });
  c.emit({
    type: 'note',
    text: `${operation.verb} was interrupted ${direction === 'complete' ? 'after' : 'before'} its commit point`,
  });
  if (direction === 'revert' || (direction === 'continue' && wanted === 'abandon' && operation.verb === 'seed')) {
    return (await settleOperation(c, operation)) === 'forward' ? 'continued' : 'reverted';
  }
  if (direction === 'complete' || wanted === 'any' || wanted === operation.verb) {
    await resumeOperation(c, operation);
    return 'continued';
  }
  if (wanted === undefined) return 'left';
  if (operation.verb !== 'seed') {
    // Nothing of it needs undoing: its steps are repeated when it is asked for again.
    await c.ledger.write((journal) => ({ ...journal, operation: null }));
    return 'reverted';
  }
  throw unfinished(operation.verb, `\`verdigris ${operation.verb}\` to go on, or \`verdigris abandon\` to undo it`);
}

/**
 * An operator who sleeps may wake in the middle of a step. His connections outlive his lease: they are cut before his
 * work is touched.
 */
async function endPredecessors(c: Context): Promise<void> {
  for (const colour of colours) await c.ifRunning(colour, endOperators).catch(() => undefined);
}

/**
 * Of several databases a run begins in the first, where the login of a killed one cannot be dropped while it has
 * anything in another.
 */
async function disownLogins(c: Context): Promise<void> {
  if (c.each.length === 1) return;
  await oneByOne(c, async (inside) => {
    for (const colour of colours) await inside.ifRunning(colour, disownLogin).catch(() => undefined);
  });
}

/** What a settled operation could not do because a colour was down, once it runs again. */
async function fix(c: Context): Promise<boolean> {
  const opened = c.journal.release !== null && (await openLive(c));
  return (await followBack(c)) || opened;
}

/** A live colour is fenced only while an operation is open: this one was down when its fence was to be undone. */
export async function openLive(c: Context): Promise<boolean> {
  const closed: string[] = [];
  const tables = tablesAt(c, c.live);
  if ((await c.platform.servers.observe(c.live))?.running)
    await inFenced(c, c.live, async (client) => {
      const here = await (tables ? closedTables(client, tables) : keptOut(client));
      if (here.length === 0) return;
      closed.push(...here);
      // What is done in a database under a token is in the journal beforehand.
      await c.ledger.write((journal) => journal);
      await (tables
        ? openTables(client, c.ledger.token, tables, c.environment.limits.switchover)
        : unfence(client, c.ledger.token));
    });
  if (closed.length > 0)
    c.emit({ type: 'note', text: `${c.live} was still fenced: opened ${tables ? '' : 'to '}${closed.join(', ')}` });
  return closed.length > 0;
}

/** Replication the other way that a switchover could not start because the retained colour was down. */
async function followBack(c: Context): Promise<boolean> {
  const { closing, stream, state } = c.journal;
  if (!closing || !stream || (state !== 'switched' && state !== 'migrated')) return false;
  if (!(await c.platform.servers.observe(c.idle))?.running) return false;
  for (const step of [inEach(closeStream), reverse]) {
    const detail = await step.run(c);
    c.emit({ type: 'note', text: `${step.title}: ${detail ?? 'made good'}` });
  }
  return c.journal.closing === null;
}
