import type { Command } from 'commander';
import { dropColumnCommand, mergeColumnsCommand, splitColumnCommand, splitTableCommand } from './columns.ts';
import { removeValueCommand } from './remove-value.ts';
import { checkCommand, foreignKeyCommand, notNullCommand, uniqueCommand } from './rules.ts';

/** The recipes of rules that rows do not obey yet, and of columns that are parted, merged or dropped. */
export function moreRecipes(): Command[] {
  return [
    notNullCommand(),
    checkCommand(),
    uniqueCommand(),
    foreignKeyCommand(),
    removeValueCommand(),
    dropColumnCommand(),
    splitColumnCommand(),
    mergeColumnsCommand(),
    splitTableCommand(),
  ];
}
