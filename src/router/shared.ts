import type { Logger } from 'pino';
import type { Colour } from '../model/colours.ts';
import type { RouterConfig } from './config.ts';
import type { Hold, Holdable } from './hold.ts';
import type { Cancellable } from './keys.ts';
import type { Taps } from './taps.ts';
import type { RouteTable } from './table.ts';
import type { Turns } from './server/turns.ts';

/** A session, as those know it who keep account of all of them. */
export type Member = Holdable & Cancellable;

/** What all sessions share. */
export interface Shared {
  readonly table: RouteTable;
  readonly hold: Hold;
  readonly limits: RouterConfig['limits'];
  readonly log: Logger;
  /** Any statement may run code that changes its session: that of a trigger, a view, an operator. */
  readonly unseenEverywhere: boolean;
  /** Of those who are given another server: each costs a core the start of a server process. */
  readonly turns: Turns;
  /** Those who want to see what clients read. */
  readonly taps: Taps;
  /** The password of a role on the server of that colour, where the router was given one. */
  passwordOf(role: string, colour: Colour): Promise<string | undefined>;
  /** A statement was passed on. */
  count(colour: Colour, reader: boolean): void;
  /** The client was given this BackendKeyData to cancel with. */
  keyed(key: Buffer, session: Member): void;
  /** The session has another backend than before. */
  moved(session: Member): void;
  /** The operator's own session has come to this colour. */
  reached(colour: Colour): void;
  ended(session: Member): void;
}
