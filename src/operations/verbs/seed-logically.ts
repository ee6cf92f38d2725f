import type { Operation } from '../engine/operation.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { declaredCandidate } from './seed.ts';
import { copy, empty, roles } from './seed/logical.ts';
import { open, publication } from './seed/origin.ts';
import { catchUp, enable, subscription } from './seed/replication.ts';

/**
 * Where no copy of the live server's storage can be had: row by row, to a server that may be of another major and
 * anybody's.
 */
export const seedLogically: Operation = {
  verb: 'seed',
  way: 'logical',
  clientsWait: () => 0,
  validate: async (c) => [...declaredCandidate(c), ...(await preflightFindings(c, 'seed'))],
  start: [open, publication, empty, roles, copy, subscription, enable, catchUp],
  complete: [],
};
