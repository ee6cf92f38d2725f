import { setTimeout as pause } from 'node:timers/promises';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { FlagStore } from '../../model/flag-stores.ts';
import { evaluate, shapesOf, type FlagFacts } from '../../model/flags.ts';
import type { Context } from '../engine/context.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { readBackfillStates } from '../gates/backfill-state.ts';
import { setInFile, withFlagsSet } from './files.ts';
import { setLaunchDarkly, setUnleash } from './interfaces.ts';

/** Milliseconds between two attempts before a rollback, which waits for them, and how many there are. */
const [again, attempts] = [500, 3];

/**
 * Sets in every declared store what differs from what was set there last, and writes that down store by store.
 * `former`: as they have to be for the release that a rollback goes back to. Whoever turned a flag by hand keeps it so
 * until it changes here. @returns why stores could not be set; empty where all could.
 */
async function turnFlags(c: Context, to: 'live' | 'former'): Promise<string[]> {
  const wanted = await wantedFlags(c, to);
  const failed: string[] = [];
  for (const [name, store] of Object.entries(c.environment.flagStores ?? {})) {
    const known = c.journal.flags?.[name] ?? {};
    const changes = [...wanted].filter(
      ([flag, value]) => (store.flags?.includes(flag) ?? true) && known[flag] !== value,
    );
    if (changes.length === 0) continue;
    try {
      // What the release brings is turned on in the order in which it is declared, and off the other way round.
      await set(c, store, new Map(to === 'former' ? changes.toReversed() : changes));
      const flags = { ...c.journal.flags, [name]: { ...known, ...Object.fromEntries(changes) } };
      await c.ledger.write((journal) => ({ ...journal, flags }));
      c.emit({
        type: 'note',
        text: `flags of ${name}: ${changes.map(([flag, on]) => `${flag} ${on ? 'on' : 'off'}`).join(', ')}`,
      });
    } catch (error) {
      failed.push(`${name}: ${describe(error)}`);
    }
  }
  return failed;
}

/**
 * As the schema that is live, or was before it, has them; those that wait for what cannot be asked now are left out.
 */
async function wantedFlags(c: Context, to: 'live' | 'former'): Promise<ReadonlyMap<string, boolean>> {
  const declared = c.environment.flags ?? {};
  const { state, live, liveRelease, release } = c.journal;
  const carried = to === 'former' && release ? { liveRelease: release.from, release: null } : { liveRelease, release };
  const history = await c.platform.history.list();
  const filling = Object.values(declared).some(({ backfill }) => backfill !== undefined);
  const backfills = filling
    ? await readBackfillStates(c).then(
        ({ backfills: all }) =>
          new Map(all.flatMap(({ backfill, done, outlived }) => (outlived ? [] : [[backfill.name, done] as const]))),
        () => undefined,
      )
    : undefined;
  const facts: FlagFacts = {
    live,
    state,
    liveRelease: carried.liveRelease,
    shapes: shapesOf(carried, history),
    backfills,
  };
  const found = new Map<string, boolean>();
  for (const [flag, declaration] of Object.entries(declared)) {
    // The share is the store's own targeting: here a flag is on or off.
    const evaluation = evaluate(flag, undefined, { [flag]: { ...declaration, share: 100 } }, facts);
    if ('value' in evaluation) found.set(flag, evaluation.value === true);
  }
  return found;
}

async function set(c: Context, store: FlagStore, values: ReadonlyMap<string, boolean>): Promise<void> {
  if (store.flagd) return setInFile(store.flagd.file, 'flagd', values);
  if (store.goFeatureFlag) return setInFile(store.goFeatureFlag.file, 'goFeatureFlag', values);
  if (store.configMap) {
    const { name, key, format } = store.configMap;
    if (!c.platform.changeConfig) throw new Error('there is no cluster here that would have a ConfigMap');
    return c.platform.changeConfig(name, key, (text) => withFlagsSet(text, format, values));
  }
  for (const [flag, value] of values) {
    const signal = AbortSignal.any([AbortSignal.timeout(store.limit), c.lost]);
    if (store.launchDarkly) await setLaunchDarkly(store.launchDarkly, flag, value, signal);
    if (store.unleash) await setUnleash(store.unleash, flag, value, signal);
  }
}

/** At the end of every command: what a killed one left undone is done by the next. What fails ends nothing. */
export async function keepFlags(c: Context): Promise<void> {
  if (c.environment.flagStores === undefined || c.drills || c.signal.aborted) return;
  for (const why of await turnFlags(c, 'live'))
    c.emit({ type: 'note', text: `flags could not be set; the next command tries again: ${why}` });
}

/**
 * The rollback with the flags turned back before anything of it is done, so that no software meets the old schema with
 * them on.
 */
export function withFlags(operation: Operation, stores: Readonly<Record<string, FlagStore>> | undefined): Operation {
  if (stores === undefined || operation.verb !== 'rollback') return operation;
  return { ...operation, start: [flagsBack(operation.kind === 'lossy'), ...operation.start] };
}

function flagsBack(lossy: boolean): Step {
  return {
    id: 'flags-back',
    title: 'turn the flags of the release back',
    why: 'software with these flags on needs the schema that is about to go',
    risk: 'none for the data; clients are served meanwhile',
    async run(c) {
      let failed = await turnFlags(c, 'former');
      for (let attempt = 1; failed.length > 0 && attempt < attempts && !c.signal.aborted; attempt++) {
        await pause(again, undefined, { signal: c.signal }).catch(() => undefined);
        failed = await turnFlags(c, 'former');
      }
      if (failed.length === 0) return;
      // A lossy rollback is for an emergency: it waits for nobody.
      if (lossy) return `not all: ${failed.join('; ')}`;
      throw notTurned(failed);
    },
    async undo(c) {
      await turnFlags(c, 'live');
    },
  };
}

function notTurned(failed: readonly string[]): VerdigrisError {
  return new VerdigrisError('flags-not-turned', {
    seen: `Flags could not be turned back before the rollback: ${failed.join('; ')}.`,
    required: 'no software that still uses what this rollback takes away.',
    next:
      'see that the store answers and run `verdigris rollback` again; or turn them off there by hand, take the store ' +
      'out of `flagStores`, and run it. Nothing was moved.',
  });
}
