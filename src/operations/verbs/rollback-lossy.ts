import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { VerdigrisError } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { indented } from '../../model/indented.ts';
import { readTables } from '../../postgres/catalogue.ts';
import type { Client } from '../../postgres/client.ts';
import { cleanCopy } from '../../postgres/clean-copy.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { exportDifferences, type LossCount, type TablePair } from '../../postgres/export-differences.ts';
import { fenceServer, unfence } from '../../postgres/fence.ts';
import { carryGlobals } from '../../postgres/globals/carry.ts';
import { mapTables } from '../../postgres/mapping.ts';
import { parkedPosition } from '../../postgres/position.ts';
import { promoteServer } from '../../postgres/promote.ts';
import { carrySequences } from '../../postgres/sequences.ts';
import { suspend, unsuspend } from '../../postgres/stream/subscription.ts';
import { keepRotated } from './rotate.ts';
import { clearColour, clearRole, clearSnapshots, clearStreams, record } from './clear.ts';
import type { Context } from '../engine/context.ts';
import { requireNone } from '../engine/gates.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { usableFindings } from '../gates/usable.ts';
import { note, release, stream } from '../engine/release-record.ts';
import { fence, open } from './switchover/fence.ts';
import { hold, resume as letGo } from './switchover/hold.ts';
import { probe, route } from './switchover/path.ts';
import { tryOut } from './switchover/try-out.ts';

/**
 * Back to the retained colour where reverse replication is gone. What the retained colour lacks is counted and exported
 * before anything moves, and consent is asked for with the count. Where the retained colour itself is gone, it is made
 * again from the snapshot of just before the switchover.
 */
export function rollbackLossy(options: { readonly acceptLoss: boolean }): Operation {
  return {
    verb: 'rollback',
    kind: 'lossy',
    clientsWait: () => Number.POSITIVE_INFINITY,
    validate: async (c) => consent(c, options.acceptLoss),
    start: [revive, tryIfRunning, hold, closeIfRunning, detach, export_, sequences],
    commit(journal, c) {
      if (!journal.release) throw new Error('a rollback has a release');
      return { ...journal, live: c.idle, liveRelease: journal.release.from };
    },
    complete: [open, route, probe, letGo, clearStreams, clearColour, clearSnapshots, clearRole, record('rolled back')],
  };
}

const revive: Step = {
  id: 'revive',
  title: 'bring the retained colour back',
  why: 'it, or else the snapshot of just before the switchover, is what there is to go back to',
  risk: 'none for the live colour',
  async run(c) {
    await discardRevived(c);
    const present = await c.platform.servers.observe(c.idle);
    if (present) {
      await c.platform.servers.start(c.idle);
      return 'the retained colour itself';
    }
    const { fallback } = release(c);
    if (!fallback)
      throw new VerdigrisError('nothing-to-go-back-to', {
        seen: 'The retained colour is gone, and so is the snapshot.',
        required: 'one of the two.',
        next: 'go on with the live colour: `verdigris retire`.',
      });
    await c.ledger.write((journal) => ({ ...journal, generation: journal.generation + 1 }));
    await c.platform.servers.restore(c.idle, fallback, {
      generation: c.journal.generation,
      consume: false,
      onBytes: () => undefined,
    });
    await c.on(c.idle, async (client) => {
      await parkedPosition(client, c.environment.limits.catchUp, c.signal);
      await promoteServer(client, c.signal);
      await fenceServer(client, c.ledger.token, 10_000, c.environment.fence.accept);
      await cleanCopy(client);
    });
    await c.platform.servers.unpark(c.idle);
    await c.platform.traffic.refresh(c.ledger.token);
    return `restored from the snapshot ${fallback}`;
  },
  undo: discardRevived,
};

/**
 * What was made from the snapshot may be half made, and can be made again. The newest generation is the live colour's
 * own, from its seeding, unless the retained one was made again since.
 */
async function discardRevived(c: Context): Promise<void> {
  if ((await c.platform.servers.observe(c.idle))?.generation !== c.journal.generation) return;
  await c.removeIdle();
  await c.platform.traffic.refresh(c.ledger.token);
}

/** Clients of a live colour that is down have nothing to lose by a hold. */
const tryIfRunning: Step = {
  ...tryOut,
  async run(c) {
    if (!(await c.platform.servers.observe(c.live))?.running) return `${c.live} is down`;
    requireNone('rollback', await usableFindings(c, { carried: false, wayBack: false }));
    return undefined;
  },
};

/** A live colour that is down takes no writes; it is one reason to go back. */
const closeIfRunning: Step = {
  ...fence,
  async run(c) {
    await c.ifRunning(c.live, (client) =>
      fenceServer(client, c.ledger.token, c.environment.limits.pause, c.environment.fence.accept),
    );
  },
  async undo(c) {
    // One that cannot be started serves nobody, fenced or not, and must not be in the way of another attempt; should it
    // come back, the next command opens it.
    if (
      await c.platform.servers.start(c.live).then(
        () => true,
        () => false,
      )
    )
      await c.on(c.live, (client) => unfence(client, c.ledger.token));
  },
};

/** Replication that still works, or works again, would go on after the clients and overwrite what they write. */
const detach: Step = {
  id: 'detach',
  title: 'stop what the live colour still sends',
  why: 'a change that arrives after the export was counted as lost, and could undo what clients write after it',
  risk: 'none: what has not arrived by now is exported',
  async run(c) {
    await c.on(c.idle, (client) => suspend(client, stream(c).name, c.environment.limits.switchover, c.signal));
  },
  async undo(c) {
    await c.ifRunning(c.idle, (client) => unsuspend(client, stream(c).name));
  },
};

const export_: Step = {
  id: 'export',
  title: 'export what the retained colour lacks',
  why: 'what is given up must be on paper first',
  risk: 'clients wait as long as this takes: both colours are compared row by row',
  async run(c) {
    if (!(await c.platform.servers.observe(c.live))?.running)
      return `${c.live} is down: what is lost cannot be counted`;
    const name = `lossy-rollback-${c.journal.streams}`;
    const file = await c.platform.exportFile(`${name}.jsonl`);
    const alone = await c.platform.exportFile(`${name}-left-behind.jsonl`);
    const total = sum(await losses(c, 'common', file));
    const left = sum(await losses(c, 'alone'));
    if (left > 0) await losses(c, 'alone', alone);
    await note(c, { exported: { rows: total, file } });
    return `${total} rows in ${file}${left === 0 ? '' : `; ${left} rows of tables that ${c.idle} does not have in ${alone}`}`;
  },
};

const sequences: Step = {
  id: 'sequences',
  title: 'carry the sequences over',
  why: 'a number that was handed out must not be handed out again',
  risk: 'leaves gaps',
  async run(c) {
    const running = await c.ifRunning(c.live, (from) =>
      c.on(c.idle, async (to) => {
        // A colour that is older than this version of Verdigris lacks what the carrying is written down in.
        await ensureControlSchema(to);
        await carryGlobals(from, to);
        await carrySequences(from, to);
      }),
    );
    if (running) return undefined;
    const kept = await keepRotated(c);
    return kept.length === 0 ? undefined : `passwords as they were rotated: ${kept.join(', ')}`;
  },
};

/**
 * Rows that differ, by table, of those that both colours have, or of those that only the live one has; written to `file`
 * where one is given.
 */
async function losses(c: Context, of: 'common' | 'alone', file?: string): Promise<LossCount[]> {
  const out = file === undefined ? undefined : createWriteStream(file, { mode: 0o600, flush: true });
  const counts = await c.on(c.live, (lost) =>
    c.on(c.idle, async (kept) => {
      const pairs = await tablePairs(kept, lost, of);
      const all: LossCount[] = [];
      for (const pair of pairs) {
        all.push(await exportDifferences(kept, lost, pair, out));
        c.emit({
          type: 'progress',
          step: 'export',
          done: all.length,
          total: pairs.length,
          unit: 'items',
          note: pair.lost.name,
        });
      }
      return all;
    }),
  );
  if (out) {
    out.end();
    await finished(out);
  }
  return counts.filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
}

async function tablePairs(kept: Client, lost: Client, of: 'common' | 'alone'): Promise<TablePair[]> {
  const [theirs, ours] = [await readTables(kept), await readTables(lost)];
  const { common } = mapTables(theirs, ours, 'reverse');
  if (of === 'common') return common.map(({ from, to, columns }) => ({ kept: from, lost: to, columns }));
  return ours
    .filter((table) => !common.some(({ to }) => to === table))
    .map((table) => ({ kept: undefined, lost: table, columns: table.columns.map(({ name }) => name) }));
}

function sum(counts: readonly LossCount[]): number {
  return counts.reduce((total, { inserted, updated, deleted }) => total + inserted + updated + deleted, 0);
}

function lossText({ table, inserted, updated, deleted }: LossCount): string {
  return `${table}: ${inserted} inserted, ${updated} updated, ${deleted} deleted`;
}

/** Without consent: says what would be lost, as of now, and stops. */
async function consent(c: Context, given: boolean): Promise<Finding[]> {
  if (given) return [];
  const up = await Promise.all([c.live, c.idle].map((colour) => c.platform.servers.observe(colour)));
  const running = up.every((seen) => seen?.running === true);
  const counts = running ? await losses(c, 'common') : undefined;
  const alone = running ? await losses(c, 'alone') : [];
  throw new VerdigrisError('consent-missing', {
    seen:
      counts === undefined
        ? `A colour is down or gone: going back to ${release(c).fallback ? 'its snapshot' : 'it'} loses what was written since.`
        : `A rollback now would lose ${sum(counts)} rows:\n${indented(counts.map(lossText))}` +
          (alone.length === 0
            ? ''
            : `and ${sum(alone)} rows of tables that ${c.idle} does not have:\n${indented(alone.map(lossText))}`),
    required: 'consent to that loss.',
    next: 'run it again with --accept-loss: the rows are exported to a file first, exactly, while clients wait.',
    facts: { losses: counts ?? null, leftBehind: alone },
  });
}
