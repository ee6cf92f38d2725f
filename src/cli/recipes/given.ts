import type { Command } from 'commander';
import type { Client } from '../../postgres/client.ts';
import type { Recipe } from '../../migrations/expand-contract/recipes/expand.ts';
import { finish, observed, optionsOf } from '../recipe-command.ts';
import { withSession } from '../session.ts';

/** Arguments and options that several recipes have. */
export const tableArgument = ['<table>', 'such as shop.customer; without a schema, public'] as const;
export const repairOption = [
  '--repair <assignments>',
  'what makes a row keep it, as after SET: its columns may be named',
] as const;

/** Writes what `make` reads off the live colour's catalogue. */
export function writeRead(self: Command, make: (client: Client) => Promise<Recipe>): Promise<void> {
  const options = optionsOf(self);
  return withSession(options, (session) =>
    observed(session, async (c) => finish(session, options, await c.on(c.live, make))),
  );
}

/** Options, each of the recipes that declare it. */
export interface RecipeGiven {
  readonly fill: string;
  readonly repair: string;
  readonly default?: string;
  readonly back: string;
}

/** Names with commas between them. */
export function namesIn(columns: string): string[] {
  return columns.split(',').map((each) => each.trim().replaceAll('"', ''));
}
