import type { Colour } from '../../model/colours.ts';
import type { Trial } from '../trial.ts';
import type { Behind } from './platform.ts';
import type { Traffic } from './traffic.ts';

/** A clients' path that is no process of Verdigris's. */
export interface OutsideTraffic extends Traffic {
  /** Takes it over for a new environment, or makes it. Nothing is changed where it throws. */
  create(live: Colour): Promise<void>;
  /** What Verdigris made of it goes. Says what stays, for people. */
  remove(): Promise<string | void>;
  /** What is used of it behind the commit point. */
  trials(behind: Behind): readonly Trial[];
  /** Gives up the connections that it keeps. */
  close(): Promise<void>;
}
