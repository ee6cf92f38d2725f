import type { Operation } from '../engine/operation.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { requireTwoServers } from './seed-logically.ts';
import { declaredCandidate } from './seed.ts';
import { roles } from './seed/logical.ts';
import { open, publication } from './seed/origin.ts';
import { cleanPrepared, haveCopied } from './seed/prepared.ts';
import { catchUp, enable, subscription } from './seed/replication.ts';

/** By a copy that a program of the operator's own makes, in whatever way: what it is worth is proved by `verify`. */
export const seedPrepared: Operation = {
  verb: 'seed',
  way: 'prepared',
  clientsWait: () => 0,
  async validate(c) {
    const declared = declaredCandidate(c);
    if (declared.length > 0) return declared;
    await requireTwoServers(c);
    return preflightFindings(c, 'seed');
  },
  start: [open, publication, haveCopied, roles, cleanPrepared, subscription, enable, catchUp],
  complete: [],
};
