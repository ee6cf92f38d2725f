import type { Finding } from '../model/finding.ts';
import { admitReaders, fence } from '../postgres/fence.ts';
import type { Context } from './context.ts';
import type { Operation, Step } from './operation.ts';
import { note } from './release-record.ts';
import { replicationFindings } from './schema.ts';

/** Takes the readers back to the live colour and closes the candidate to them again. */
export async function withdrawCanary(c: Context): Promise<void> {
  await c.platform.traffic.route(c.ledger.token, c.live, 0);
  if ((await c.platform.servers.observe(c.idle))?.running) await c.on(c.idle, (client) => fence(client, c.ledger.token, 10_000));
}

const admit: Step = {
  id: 'admit',
  title: 'let the reader roles in to the candidate',
  why: 'they can only read, by privilege',
  risk: 'a reader sees the candidate as far as it has caught up',
  async run(c) {
    await c.on(c.idle, (client) => admitReaders(client, c.ledger.token, c.environment.roles.readers));
  },
  undo: withdrawCanary,
};

const weigh: Step = {
  id: 'weigh',
  title: 'send the declared share of readers to the candidate',
  why: 'reads show what a comparison cannot: plans, caches, software',
  risk: "readers' connections are spread anew; writes stay where they are",
  async run(c) {
    await c.platform.traffic.route(c.ledger.token, c.live, c.environment.canary);
    await note(c, { canary: c.environment.canary });
    return `${c.environment.canary} % of the readers`;
  },
  undo: withdrawCanary,
};

export const canary: Operation = {
  verb: 'canary',
  from: ['verified', 'canary'],
  to: 'canary',
  clientsWait: () => 0,
  validate: async (c) => [...declared(c), ...(await replicationFindings(c, { lagLimit: c.environment.limits.lag }))],
  start: [admit, weigh],
  commit: (journal) => ({ ...journal, state: 'canary' }),
  complete: [],
};

function declared(c: Context): Finding[] {
  const reason = 'The canary sends connections of declared reader roles, and a share of them, to the candidate.';
  if (c.environment.roles.readers.length === 0) return [{ id: 'no-readers', grade: 'refuse', title: 'no reader roles are declared', objects: [], reason, mend: 'Declare roles.readers: roles that can read and not write; or switch without a canary.' }];
  if (c.environment.canary === 0) return [{ id: 'no-canary', grade: 'refuse', title: 'canary is 0', objects: [], reason, mend: 'Declare canary: 10, or give --weight 10.' }];
  return [];
}
