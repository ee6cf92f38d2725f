import { testMajor } from '../../support/postgres.ts';
import type { Act } from './act.ts';
import { again } from './again.ts';
import { alike } from './alike.ts';
import { applications } from './applications.ts';
import { carried } from './carried.ts';
import { columns } from './columns.ts';
import { further } from './further.ts';
import { guests } from './guests.ts';
import { objects } from './objects.ts';
import { others } from './others.ts';
import { owners } from './owners.ts';
import { rights } from './rights.ts';
import { rowsOtherwise } from './rows.ts';
import { servers } from './servers.ts';
import { shapes } from './shapes.ts';
import { swaps } from './swaps.ts';
import { tables } from './tables.ts';
import { taken } from './taken.ts';

/** All that there are, on any major. */
export const everyAct: readonly Act[] = [
  ...tables,
  ...others,
  ...swaps,
  ...carried,
  ...columns,
  ...objects,
  ...servers,
  ...alike,
  ...rowsOtherwise,
  ...shapes,
  ...rights,
  ...taken,
  ...owners,
  ...again,
  ...further,
  ...guests,
  ...applications,
];

export const acts = everyAct.filter(({ since = 0 }) => since <= testMajor);
