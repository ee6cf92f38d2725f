import type { Logger } from 'pino';
import type { Colour } from '../model/colours.ts';
import type { RouterConfig } from './config.ts';
import type { Hold } from './hold.ts';
import type { Session } from './session.ts';
import type { Table } from './table.ts';
import type { Turns } from './turns.ts';

/** What all sessions share. */
export interface Passage {
  readonly table: Table;
  readonly hold: Hold;
  readonly limits: RouterConfig['limits'];
  readonly log: Logger;
  /** Of those who are given another server: each costs a core the start of a server process. */
  readonly turns: Turns;
  /** A statement was passed on. */
  count(colour: Colour, reader: boolean): void;
  /** The client was given this BackendKeyData to cancel with. */
  keyed(key: Buffer, session: Session): void;
  /** The session has another backend than before. */
  moved(session: Session): void;
  /** The operator's own session has come to this colour. */
  reached(colour: Colour): void;
  ended(session: Session): void;
}
