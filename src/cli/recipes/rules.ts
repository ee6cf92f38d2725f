import { Command } from 'commander';
import { readColumn } from '../../migrations/expand-contract/recipes/column.ts';
import { assignmentsOf, columnsIn, readKey, readUnique } from '../../migrations/expand-contract/recipes/read.ts';
import { tryCompare, tryOver } from '../../migrations/expand-contract/recipes/try.ts';
import { foreignKey, newCheck, notNull, unique } from '../../migrations/expand-contract/recipes/rules.ts';
import { ident } from '../../postgres/quote.ts';
import { namedTable, recipe } from '../recipe-command.ts';
import { namesIn, repairOption, tableArgument, writeRead, type RecipeGiven } from './given.ts';

export function notNullCommand(): Command {
  return recipe(new Command('not-null'))
    .summary('migrations that let a column be required')
    .argument(...tableArgument)
    .argument('<column>')
    .requiredOption('--fill <expression>', 'what is written where nothing was given; its columns may be named')
    .action((name: string, column: string, { fill }: RecipeGiven, self: Command) =>
      writeRead(self, async (client) => {
        await readColumn(client, namedTable(name).schema, namedTable(name).table, column);
        await tryOver(client, namedTable(name), [fill]);
        return notNull(namedTable(name), column, fill);
      }),
    );
}

export function checkCommand(): Command {
  return recipe(new Command('check'))
    .summary('migrations that add a CHECK')
    .argument(...tableArgument)
    .argument('<name>', 'of the constraint')
    .argument('<condition>')
    .requiredOption(...repairOption)
    .action((name: string, constraint: string, condition: string, given: RecipeGiven, self: Command) =>
      writeRead(self, async (client) => {
        const set = await assignmentsOf(given.repair);
        await tryOver(client, namedTable(name), [condition, ...set.map(({ expression }) => expression)]);
        return newCheck(namedTable(name), constraint, condition, set, await columnsIn(condition));
      }),
    );
}

export function uniqueCommand(): Command {
  return recipe(new Command('unique'))
    .summary('migrations that add a UNIQUE constraint')
    .argument(...tableArgument)
    .argument('<columns>', 'such as email, or tenant,email')
    .requiredOption(...repairOption)
    .action((name: string, columns: string, given: RecipeGiven, self: Command) =>
      writeRead(self, async (client) => {
        const set = await assignmentsOf(given.repair);
        const names = namesIn(columns);
        await tryCompare(client, namedTable(name), names);
        await tryOver(
          client,
          namedTable(name),
          set.map(({ expression }) => expression),
        );
        const key = await readKey(client, namedTable(name));
        return unique(
          namedTable(name),
          names,
          key.map(({ column }) => column),
          set,
        );
      }),
    );
}

export function foreignKeyCommand(): Command {
  return recipe(new Command('foreign-key'))
    .summary('migrations that add a foreign key')
    .argument(...tableArgument)
    .argument('<column>')
    .argument('<parent>', 'the column that it refers to, such as shop.country.code')
    .option(...repairOption)
    .action((name: string, column: string, parent: string, given: Partial<RecipeGiven>, self: Command) =>
      writeRead(self, async (client) => {
        const set = await assignmentsOf(given.repair ?? `${ident(column)} = NULL`);
        const parts = parent.replaceAll('"', '').split('.');
        const to = { ...namedTable(parts.slice(0, -1).join('.')), key: parts.at(-1) ?? '' };
        await tryCompare(client, namedTable(name), [column]);
        await tryOver(
          client,
          namedTable(name),
          set.map(({ expression }) => expression),
        );
        await readUnique(client, to);
        return foreignKey(namedTable(name), column, to, set);
      }),
    );
}
