import type { Operation } from '../engine/operation.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { requireTwoServers } from './seed-logically.ts';
import { declaredCandidate } from './seed.ts';
import { align } from './seed/candidate.ts';
import { open, publication, slot } from './seed/origin.ts';
import { catchUp, enable, subscription } from './seed/replication.ts';
import { promoteStandby, requireStandby, takeStandby } from './seed/standby.ts';

/** By a physical standby that others have made of the live server: no row is read from that one. */
export const seedByStandby: Operation = {
  verb: 'seed',
  way: 'standby',
  clientsWait: () => 0,
  async validate(c) {
    const declared = declaredCandidate(c);
    if (declared.length > 0) return declared;
    await requireTwoServers(c);
    await requireStandby(c);
    return preflightFindings(c, 'seed');
  },
  start: [open, publication, slot, takeStandby, promoteStandby, align, subscription, enable, catchUp],
  complete: [],
};
