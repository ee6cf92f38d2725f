import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { fenceServer } from '../../../postgres/fence.ts';
import { rememberGlobals } from '../../../postgres/globals/carry.ts';
import { requireFiles } from '../../../postgres/missing-files.ts';
import { promoteServer } from '../../../postgres/promote.ts';
import { rememberSequences } from '../../../postgres/sequences.ts';
import { scopeOf } from '../../engine/scope.ts';
import type { Step } from '../../engine/operation.ts';
import { release } from '../../engine/release-record.ts';
import { requireSameSchema } from '../../gates/schema.ts';
import { onCandidate } from './on-candidate.ts';

export const promote: Step = {
  id: 'promote',
  title: 'promote the copy and close it to applications',
  why: 'a subscriber must take writes; those of anybody else would be lost or collide',
  risk: 'none: nobody can reach it but Verdigris',
  // Roles are closed by what only a promoted server can write. Until then nobody can write, and where pg_hba.conf is
  // ours nobody gets in.
  run: (c) =>
    onCandidate(c, async (client) => {
      await promoteServer(client, c.signal);
      await fenceServer(client, c.ledger.token, 10_000, c.environment.fence.accept);
    }),
};

export const align: Step = {
  id: 'align',
  title: 'clean the copy',
  why: 'copied slots, subscriptions and publications belong to the original',
  risk: 'none for the live colour',
  async run(c) {
    await onCandidate(c, async (client) => {
      await requireFiles(client);
      await cleanCopy(client, { slots: c.platform.servers.ownsStorage(c.idle) });
      await rememberSequences(client);
      await rememberGlobals(client, scopeOf(c));
    });
    // DDL between the slot and the end of the snapshot shows here, since the copy has it and the record does not, or
    // the reverse.
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
