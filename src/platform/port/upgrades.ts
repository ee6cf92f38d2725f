import type { Colour } from '../../model/colours.ts';

/** Major upgrades of a copy on its own volume. */
export interface Upgrades {
  /** What stands in the way of an upgrade between these majors here, and what to do; undefined where nothing does. */
  obstacle(from: number, to: number): { readonly seen: string; readonly fix: string } | undefined;
  /**
   * Makes a promoted copy a server of the major `to` by pg_upgrade, and starts it with its ordinary settings. Says what
   * was left out.
   */
  run(colour: Colour, to: number): Promise<string>;
}
