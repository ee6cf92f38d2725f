import { Command } from 'commander';
import type { Client } from '../postgres/client.ts';
import { ident } from '../postgres/quote.ts';
import { readColumn, unfitForRecipe, type RecipeColumn } from '../migrations/expand-contract/recipes/column.ts';
import type { Recipe } from '../migrations/expand-contract/recipes/expand.ts';
import { leaveColumn } from '../migrations/expand-contract/recipes/drop.ts';
import {
  assignmentsOf,
  columnsIn,
  freshColumn,
  readEnum,
  readKey,
  readUnique,
} from '../migrations/expand-contract/recipes/read.ts';
import { stepPath } from '../migrations/expand-contract/recipes/kept.ts';
import { reshape } from '../migrations/expand-contract/recipes/reshape.ts';
import { splitTable } from '../migrations/expand-contract/recipes/split-table.ts';
import { readTable } from '../migrations/expand-contract/recipes/table.ts';
import { onlyOne, tryCompare, tryOver, tryQuery } from '../migrations/expand-contract/recipes/try.ts';
import { removeValue } from '../migrations/expand-contract/recipes/remove-value.ts';
import { foreignKey, newCheck, notNull, unique } from '../migrations/expand-contract/recipes/rules.ts';
import { finish, namedTable, observed, optionsOf, recipe } from './recipe-command.ts';
import { withSession } from './session.ts';

const table = ['<table>', 'such as shop.customer; without a schema, public'] as const;
const repair = ['--repair <assignments>', 'what makes a row keep it, as after SET: its columns may be named'] as const;

/** Writes what `make` reads off the live colour's catalogue. */
function write(self: Command, make: (client: Client) => Promise<Recipe>): Promise<void> {
  const options = optionsOf(self);
  return withSession(options, (session) =>
    observed(session, async (c) => finish(session, options, await c.on(c.live, make))),
  );
}

interface Given {
  readonly fill: string;
  readonly repair: string;
  readonly default?: string;
  readonly back: string;
  readonly using: string;
}

/** The recipes of rules that rows do not obey yet, and of columns that are parted, merged or dropped. */
export function moreRecipes(): Command[] {
  return [
    recipe(new Command('not-null'))
      .summary('migrations that let a column be required')
      .argument(...table)
      .argument('<column>')
      .requiredOption('--fill <expression>', 'what stands where nothing was given; its columns may be named')
      .action((name: string, column: string, { fill }: Given, self: Command) =>
        write(self, async (client) => {
          await readColumn(client, namedTable(name).schema, namedTable(name).table, column);
          await tryOver(client, namedTable(name), [fill]);
          return notNull(namedTable(name), column, fill);
        }),
      ),
    recipe(new Command('check'))
      .summary('migrations that add a CHECK')
      .argument(...table)
      .argument('<name>', 'of the constraint')
      .argument('<condition>')
      .requiredOption(...repair)
      .action((name: string, constraint: string, condition: string, given: Given, self: Command) =>
        write(self, async (client) => {
          const set = await assignmentsOf(given.repair);
          await tryOver(client, namedTable(name), [condition, ...set.map(({ expression }) => expression)]);
          return newCheck(namedTable(name), constraint, condition, set, await columnsIn(condition));
        }),
      ),
    recipe(new Command('unique'))
      .summary('migrations that add a UNIQUE constraint')
      .argument(...table)
      .argument('<columns>', 'such as email, or tenant,email')
      .requiredOption(...repair)
      .action((name: string, columns: string, given: Given, self: Command) =>
        write(self, async (client) => {
          const set = await assignmentsOf(given.repair);
          const names = list(columns);
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
      ),
    recipe(new Command('foreign-key'))
      .summary('migrations that add a foreign key')
      .argument(...table)
      .argument('<column>')
      .argument('<parent>', 'the column that it refers to, such as shop.country.code')
      .option(...repair)
      .action((name: string, column: string, parent: string, given: Partial<Given>, self: Command) =>
        write(self, async (client) => {
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
      ),
    recipe(new Command('remove-value'))
      .summary('migrations that take a value of an enum away')
      .argument('<type>', 'such as shop.mood; without a schema, public')
      .argument('<value>')
      .argument('<instead>', 'the value that takes its place')
      .action((name: string, value: string, instead: string, _: Given, self: Command) =>
        write(self, async (client) => {
          const { schema, table: type } = namedTable(name);
          const { values, uses } = await readEnum(client, schema, type);
          const unknown = [value, instead].find((each) => !values.includes(each));
          if (unknown !== undefined || value === instead)
            throw unfitForRecipe(
              `${schema}.${type} has the values ${values.join(', ')}.`,
              'two of them: the one that goes, and the one that takes its place.',
              'fix the values.',
            );
          return removeValue({ schema, name: type, values }, value, instead, uses);
        }),
      ),
    recipe(new Command('drop-column'))
      .summary('what lets a column go that nothing takes the place of')
      .argument(...table)
      .argument('<column>')
      .option('--default <expression>', 'what software that does not know it leaves there, where it is required')
      .action((name: string, column: string, given: Given, self: Command) =>
        write(self, async (client) => {
          const { schema, table: on } = namedTable(name);
          const found = await readColumn(client, schema, on, column);
          if (given.default !== undefined) await tryOver(client, namedTable(name), [given.default]);
          return leaveColumn(found, given.default);
        }),
      ),
    recipe(new Command('split-column'))
      .summary('migrations that part a column into several')
      .argument(...table)
      .argument('<column>')
      .argument('<new...>', "each as in 'first text = split_part(name, '' '', 1)'")
      .requiredOption('--back <expression>', 'the old value from the new columns')
      .action((name: string, column: string, fresh: string[], { back }: Given, self: Command) =>
        write(self, (client) => parted(client, name, [column], fresh, [{ column, expression: back }])),
      ),
    recipe(new Command('merge-columns'))
      .summary('migrations that make one column of several')
      .argument(...table)
      .argument('<columns>', 'such as first,last')
      .argument('<new>', "as in 'name text = concat_ws('' '', first, last)'")
      .requiredOption('--back <assignments>', 'the old columns from the new one, as after SET')
      .action((name: string, columns: string, fresh: string, { back }: Given, self: Command) =>
        write(self, async (client) => parted(client, name, list(columns), [fresh], await assignmentsOf(back))),
      ),
    recipe(new Command('split-table'))
      .summary('migrations that give columns of a table a table of their own')
      .argument(...table)
      .argument('<new>')
      .argument('<columns>', 'such as street,city')
      .action((name: string, fresh: string, columns: string, _: Given, self: Command) =>
        write(self, async (client) => {
          const { schema, table: on } = namedTable(name);
          const whole = await readTable(client, schema, on, fresh);
          await tryCompare(client, namedTable(name), list(columns));
          return splitTable(
            whole,
            fresh,
            await readColumns(client, name, list(columns)),
            await readKey(client, namedTable(name)),
          );
        }),
      ),
  ];
}

function list(columns: string): string[] {
  return columns.split(',').map((each) => each.trim().replaceAll('"', ''));
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
