import { finding, refuses } from '../../model/finding.ts';
import { describe } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { everyLogin } from '../../model/logins.ts';
import { waitFor } from '../../model/wait.ts';
import { rows, type Client } from '../../postgres/client.ts';
import { fenceServer } from '../../postgres/fence.ts';
import { admitReaders } from '../../postgres/fence-readers.ts';
import { backfillFindings } from '../gates/backfill-gate.ts';
import type { Context } from '../engine/context.ts';
import { inFenced } from '../engine/fenced.ts';
import type { Operation, Step } from '../engine/operation.ts';
import { note } from '../engine/release-record.ts';
import { replicationFindings } from '../gates/replication-findings.ts';

/**
 * Milliseconds for readers to leave the candidate once the route says so, and without one until it is believed: proxies
 * learn of a route with a delay.
 */
const leaving = 10_000;
const quiet = 1_000;

/** Takes the readers back to the live colour and closes the candidate to them again. */
export async function withdrawCanary(c: Context): Promise<void> {
  await leadReadersBack(c);
  // Whoever makes routes again must not lead readers to a colour that is closed to them.
  if ((c.journal.release?.canary ?? 0) > 0) await note(c, { canary: 0 });
  await closeCandidate(c);
}

export async function leadReadersBack(c: Context): Promise<void> {
  await c.platform.traffic.route(c.ledger.token, c.live, 0);
  await untilLeft(c);
}

export async function closeCandidate(c: Context): Promise<void> {
  if ((await c.platform.servers.observe(c.idle))?.running)
    await inFenced(c, c.idle, (client) => fenceServer(client, c.ledger.token, 10_000, c.environment.fence.accept));
}

/**
 * Waits until no reader is left on the candidate, so that none is cut off; those who stay in a transaction for longer
 * are.
 */
async function untilLeft(c: Context): Promise<void> {
  const { traffic } = c.platform;
  if (!traffic.respread) return;
  let since: number | undefined;
  let spread = performance.now();
  const look = async (client: Client): Promise<true | undefined> => {
    const found = await rows(
      client,
      "SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename = ANY ($1)",
      [everyLogin(c.environment.roles.readers)],
    );
    if (found.length > 0 && performance.now() - spread >= quiet) {
      spread = performance.now();
      await traffic.respread?.();
    }
    since = found.length > 0 ? undefined : (since ?? performance.now());
    return since !== undefined && performance.now() - since >= quiet ? true : undefined;
  };
  await c.ifRunning(c.idle, (client) =>
    waitFor(() => look(client), {
      limit: leaving,
      signal: c.signal,
      every: 50,
      slowest: 250,
      what: `no reader on ${c.idle}`,
      next: 'see who reads there.',
    }).catch((error: unknown) => {
      c.signal.throwIfAborted();
      c.emit({ type: 'note', text: `readers are still on ${c.idle} after ${leaving} ms: ${describe(error)}` });
    }),
  );
}

/** Before clients are held: a path that has weights cannot prove by one answer that it has none any more. */
export const recall: Step = {
  id: 'recall',
  title: 'move the readers back from the candidate',
  why: 'readers move with the writes, all at once: a route that still had weights would send some of them to a closed colour',
  risk: "readers' connections are spread again",
  async run(c) {
    if (c.journal.state !== 'canary') return 'there is no canary';
    await c.platform.traffic.route(c.ledger.token, c.live, 0);
    await untilLeft(c);
    return undefined;
  },
  async undo(c) {
    if (c.journal.state === 'canary')
      await c.platform.traffic.route(c.ledger.token, c.live, c.journal.release?.canary ?? 0);
  },
};

const admit: Step = {
  id: 'admit',
  title: 'let the reader roles in to the candidate',
  why: 'they can only read, by privilege',
  risk: 'a reader sees the candidate as far as it has caught up',
  async run(c) {
    await c.on(c.idle, (client) => admitReaders(client, c.ledger.token, everyLogin(c.environment.roles.readers)));
  },
  undo: withdrawCanary,
};

const weight: Step = {
  id: 'weight',
  title: 'send the declared share of readers to the candidate',
  why: 'reads show what a comparison cannot: plans, caches, software',
  risk: "readers' connections are spread again; writes stay where they are",
  async run(c) {
    // Its standbys may be others than when it was seeded.
    await c.platform.traffic.refresh(c.ledger.token);
    await c.platform.traffic.route(c.ledger.token, c.live, c.environment.canary);
    await note(c, { canary: c.environment.canary });
    return `${c.environment.canary} % of the readers`;
  },
  undo: withdrawCanary,
};

export const canary: Operation = {
  verb: 'canary',
  clientsWait: () => 0,
  async validate(c) {
    const findings = [
      ...declared(c),
      ...((await c.platform.traffic.weightFindings?.()) ?? []),
      ...(await replicationFindings(c, { lagLimit: c.environment.limits.lag })),
    ];
    return refuses(findings) ? findings : [...findings, ...(await backfillFindings(c, 'refuse', false))];
  },
  start: [admit, weight],
  complete: [],
};

function declared(c: Context): Finding[] {
  const reason = 'The canary sends connections of declared reader roles, and a share of them, to the candidate.';
  if (c.environment.roles.readers.length === 0)
    return [
      finding('no-readers', {
        objects: [],
        reason,
      }),
    ];
  if (c.environment.canary === 0)
    return [
      finding('no-canary', {
        objects: [],
        reason,
      }),
    ];
  return [];
}
