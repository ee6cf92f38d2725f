import { Command } from 'commander';
import { readColumn, unfitForRecipe, type RecipeColumn } from '../../migrations/expand-contract/recipes/column.ts';
import type { Recipe } from '../../migrations/expand-contract/recipes/expand.ts';
import { leaveColumn } from '../../migrations/expand-contract/recipes/drop.ts';
import { assignmentsOf, freshColumn, readKey } from '../../migrations/expand-contract/recipes/read.ts';
import { stepPath } from '../../migrations/expand-contract/recipes/kept.ts';
import { reshape } from '../../migrations/expand-contract/recipes/reshape.ts';
import { splitTable } from '../../migrations/expand-contract/recipes/split-table.ts';
import { readTable } from '../../migrations/expand-contract/recipes/table.ts';
import { onlyOne, tryCompare, tryOver, tryQuery } from '../../migrations/expand-contract/recipes/try.ts';
import type { Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';
import { namedTable, recipe } from '../recipe-command.ts';
import { namesIn, tableArgument, writeRead, type RecipeGiven } from './given.ts';

export function dropColumnCommand(): Command {
  return recipe(new Command('drop-column'))
    .summary('what lets a column go that nothing takes the place of')
    .argument(...tableArgument)
    .argument('<column>')
    .option('--default <expression>', 'what software that does not know it leaves there, where it is required')
    .action((name: string, column: string, given: RecipeGiven, self: Command) =>
      writeRead(self, async (client) => {
        const { schema, table: on } = namedTable(name);
        const found = await readColumn(client, schema, on, column);
        if (given.default !== undefined) await tryOver(client, namedTable(name), [given.default]);
        return leaveColumn(found, given.default);
      }),
    );
}

export function splitColumnCommand(): Command {
  return recipe(new Command('split-column'))
    .summary('migrations that part a column into several')
    .argument(...tableArgument)
    .argument('<column>')
    .argument('<new...>', "each as in 'first text = split_part(name, '' '', 1)'")
    .requiredOption('--back <expression>', 'the old value from the new columns')
    .action((name: string, column: string, fresh: string[], { back }: RecipeGiven, self: Command) =>
      writeRead(self, (client) => parted(client, name, [column], fresh, [{ column, expression: back }])),
    );
}

export function mergeColumnsCommand(): Command {
  return recipe(new Command('merge-columns'))
    .summary('migrations that make one column of several')
    .argument(...tableArgument)
    .argument('<columns>', 'such as first,last')
    .argument('<new>', "as in 'name text = concat_ws('' '', first, last)'")
    .requiredOption('--back <assignments>', 'the old columns from the new one, as after SET')
    .action((name: string, columns: string, fresh: string, { back }: RecipeGiven, self: Command) =>
      writeRead(self, async (client) => parted(client, name, namesIn(columns), [fresh], await assignmentsOf(back))),
    );
}

export function splitTableCommand(): Command {
  return recipe(new Command('split-table'))
    .summary('migrations that give columns of a table a table of their own')
    .argument(...tableArgument)
    .argument('<new>')
    .argument('<columns>', 'such as street,city')
    .action((name: string, fresh: string, columns: string, _: RecipeGiven, self: Command) =>
      writeRead(self, async (client) => {
        const { schema, table: on } = namedTable(name);
        const whole = await readTable(client, schema, on, fresh);
        await tryCompare(client, namedTable(name), namesIn(columns));
        return splitTable(
          whole,
          fresh,
          await readColumns(client, name, namesIn(columns)),
          await readKey(client, namedTable(name)),
        );
      }),
    );
}

async function readColumns(client: Client, name: string, columns: readonly string[]): Promise<RecipeColumn[]> {
  const found: RecipeColumn[] = [];
  for (const column of columns)
    found.push(await readColumn(client, namedTable(name).schema, namedTable(name).table, column));
  return found;
}

async function parted(
  client: Client,
  name: string,
  columns: readonly string[],
  fresh: readonly string[],
  back: readonly { readonly column: string; readonly expression: string }[],
): Promise<Recipe> {
  const [old, ...olds] = await readColumns(client, name, columns);
  const [first, ...rest] = fresh.map(freshColumn);
  const said = back.map(({ column }) => column);
  if (!old || !first || [...said].sort().join() !== [...columns].sort().join())
    throw unfitForRecipe(
      `--back says what ${said.join(', ')} is made of.`,
      `an assignment for each of ${columns.join(', ')}, and no other.`,
      'fix it.',
    );
  await tryCompare(client, namedTable(name), columns);
  await tryOver(
    client,
    namedTable(name),
    [first, ...rest].map(({ using, type }) => `(${using})::${type}`),
  );
  for (const { expression } of back) await onlyOne('--back', `SELECT (${expression}\n)`);
  const given = [first, ...rest].map(({ column, type }) => `NULL::${type} AS ${ident(column)}`).join(', ');
  for (const { expression } of back)
    await tryQuery(client, `SELECT (${expression}\n) FROM (SELECT ${given}) AS given`, '--back', stepPath(old.schema));
  return reshape({ old: [old, ...olds], fresh: [first, ...rest], back });
}
