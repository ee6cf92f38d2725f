import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { fenceServer } from '../../../postgres/fence.ts';
import { promoteServer } from '../../../postgres/promote.ts';
import type { Step } from '../../engine/operation.ts';
import { release } from '../../engine/release-record.ts';
import { requireSameSchema } from '../../gates/schema.ts';
import { onCandidate } from './on-candidate.ts';

export const promote: Step = {
  id: 'promote',
  title: 'promote the copy',
  why: 'a subscriber must take writes',
  risk: 'none: nobody can reach it but Verdigris',
  run: (c) => onCandidate(c, (client) => promoteServer(client, c.signal)),
};

export const align: Step = {
  id: 'align',
  title: 'clean the copy and close it to applications',
  why: 'copied slots, subscriptions and publications belong to the original; writes there would be lost or collide',
  risk: 'none for the live colour',
  async run(c) {
    await onCandidate(c, async (client) => {
      await cleanCopy(client);
      await fenceServer(client, c.ledger.token, 10_000);
    });
    // DDL between the slot and the end of the snapshot shows here, since the copy has it and the record does not, or the reverse.
    await requireSameSchema(c, c.idle, release(c).schema[c.live]);
  },
};

export const unpark: Step = {
  id: 'unpark',
  title: 'restart the copy with ordinary settings',
  why: 'replication workers were off while a copied subscription could have run',
  risk: 'none for the live colour',
  async run(c) {
    await c.platform.servers.unpark(c.idle);
    await c.platform.traffic.refresh(c.ledger.token);
  },
};
