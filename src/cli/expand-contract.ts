import { Command } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import type { ShapeLedger } from '../migrations/expand-contract/ledger.ts';
import { readColumn } from '../migrations/expand-contract/recipes/column.ts';
import { contractColumn } from '../migrations/expand-contract/recipes/contract.ts';
import { expandColumn, type Recipe } from '../migrations/expand-contract/recipes/expand.ts';
import { plainDrop } from '../migrations/expand-contract/recipes/drop.ts';
import { readHalves, secondHalf } from '../migrations/expand-contract/recipes/kept.ts';
import { readOldColumn } from '../migrations/expand-contract/recipes/old.ts';
import { readPair, type Wanted } from '../migrations/expand-contract/recipes/pair.ts';
import { readTable, renameTableRecipe } from '../migrations/expand-contract/recipes/table.ts';
import { lastUser } from '../migrations/expand-contract/waits.ts';
import type { Context } from '../operations/engine/context.ts';
import { readWaits, type WaitReport } from '../operations/reads/waits.ts';
import { finish, namedTable, observed, optionsOf, recipe, type RecipeOptions } from './recipe-command.ts';
import { moreRecipes } from './recipes/index.ts';
import { withCommonOptions, withSession, type CommonOptions, type CliSession } from './session.ts';
import { contractWaits } from '../migrations/expand-contract/recipes/drop.ts';
import { help, waitsText } from './expand-contract-text.ts';

/**
 * `verdigris expand-contract`: what waits for what, and the recipes. Reads the live colour's catalogue; writes files
 * alone.
 */
export function expandContractCommand(): Command {
  const command = withCommonOptions(new Command('expand-contract'))
    .description(
      'Shows what each release added and took away, which old shapes still wait to be taken away, and what they wait for.',
    )
    .addHelpText('after', help)
    .action((options: CommonOptions) => withSession(options, show));
  command.addCommand(
    recipe(new Command('rename-column'))
      .summary('migrations that let a column have another name')
      .description(
        'Writes the migration that adds NEW beside OLD, with the trigger that keeps both in step, and its backfill.',
      )
      .argument('<table>', 'such as shop.customer; without a schema, public')
      .argument('<old>')
      .argument('<new>')
      .action((table: string, old: string, fresh: string, _: RecipeOptions, self: Command) =>
        expand({ ...namedTable(table), column: old, fresh }, self),
      ),
  );
  command.addCommand(
    recipe(new Command('change-type'))
      .summary('migrations that let a column have another type')
      .description(
        'Writes the migration that adds a column of the new type beside it, with the trigger that keeps both in step, and its backfill.',
      )
      .argument('<table>', 'such as shop.customer; without a schema, public')
      .argument('<column>')
      .argument('<type>')
      .option('--as <name>', "name of the new column (default: the column's, with _new)")
      .option('--using <expression>', 'the new value from the old column; its cast where left out')
      .option('--back <expression>', 'the old value from the new column; its cast where left out')
      .action((table: string, column: string, type: string, options: RecipeOptions, self: Command) =>
        expand(
          {
            ...namedTable(table),
            column,
            fresh: options.as ?? `${column}_new`,
            type,
            using: options.using,
            back: options.back,
          },
          self,
        ),
      ),
  );
  command.addCommand(
    recipe(new Command('rename-table'))
      .summary('the migration that lets a table have another name')
      .description(
        'Writes the migration that makes a view NEW of the table, which is read and written like it; the table stays.',
      )
      .argument('<table>', 'such as shop.customer; without a schema, public')
      .argument('<new>')
      .action((table: string, fresh: string, _: RecipeOptions, self: Command) =>
        rename(namedTable(table), fresh, self),
      ),
  );
  for (const each of moreRecipes()) command.addCommand(each);
  command.addCommand(
    recipe(new Command('contract'))
      .summary('the migration that takes an old column away')
      .description(
        'Writes the migration of the coming release that drops the trigger and the old column. Refused while it is too early.',
      )
      .argument('<object>', 'the old column, as `verdigris expand-contract` prints it')
      .option(
        '--last-used-by <release>',
        'the last release whose software uses it (default: the one before the new column came)',
      )
      .action((object: string, _: RecipeOptions, self: Command) => contract(object, self)),
  );
  return command;
}

async function expand(wanted: Wanted, self: Command): Promise<void> {
  const options = optionsOf(self);
  await withSession(options, (session) =>
    observed(session, async (c) =>
      finish(session, options, expandColumn(await c.on(c.live, (client) => readPair(client, wanted)))),
    ),
  );
}

async function rename(
  { schema, table }: Pick<Wanted, 'schema' | 'table'>,
  fresh: string,
  self: Command,
): Promise<void> {
  const options = optionsOf(self);
  await withSession(options, (session) =>
    observed(session, async (c) =>
      finish(
        session,
        options,
        renameTableRecipe(await c.on(c.live, (client) => readTable(client, schema, table, fresh)), fresh),
      ),
    ),
  );
}

async function contract(object: string, self: Command): Promise<void> {
  const options = optionsOf(self);
  await withSession(options, (session) =>
    observed(session, async (c) => {
      const { report, ledger } = await readWaits(c);
      const wait = report.waits.find((each) => each.object === object.replaceAll('"', ''));
      if (!wait)
        return finish(
          session,
          options,
          await withoutColumn(c, object.replaceAll('"', ''), { report, ledger }, options),
        );
      if (wait.waitsFor.length > 0)
        throw early(
          `It is too early for ${object}: it waits for ${wait.waitsFor.join('; ')}.`,
          `that no release before ${wait.expandedBy} can be live, and that ${wait.replacedBy} is filled.`,
        );
      const lastUsedBy = options.lastUsedBy ?? lastUser(ledger, wait.expandedBy) ?? '';
      const columns = await c.on(c.live, (client) => readOldColumn(client, wait));
      await finish(session, options, contractColumn({ ...columns, lastUsedBy }));
    }),
  );
}

function early(seen: string, required: string): VerdigrisError {
  return contractWaits(seen, required, 'see `verdigris expand-contract` for what waits for what');
}

async function show(session: CliSession): Promise<void> {
  await observed(session, async (c) => {
    const { report } = await readWaits(c);
    session.reporter.result(report, waitsText);
  });
}

/** What the live colour itself says is still to come, else a column that nothing stands in for. */
async function withoutColumn(
  c: Context,
  object: string,
  { report, ledger }: { readonly report: WaitReport; readonly ledger: ShapeLedger },
  { lastUsedBy }: RecipeOptions,
): Promise<Recipe> {
  const half = (await c.on(c.live, readHalves)).find(({ objects }) => objects.includes(object));
  if (half && report.other?.role === 'retained')
    throw early(
      `It is too early for ${object}: release ${report.other.release} can be rolled back to.`,
      'that it is retired.',
    );
  const last = lastUsedBy ?? ledger.releases.at(-2);
  if (half && last === undefined)
    throw early(
      `No release before ${report.live} is known.`,
      'the last release whose software used it: --last-used-by.',
    );
  if (half && last !== undefined) return secondHalf(half, last);
  const listed = [...report.waits.map((wait) => wait.object), ...report.halves.flat()].join(', ');
  const [schema, table, column] = object.split('.');
  if (schema === undefined || table === undefined || column === undefined)
    throw early(
      `${object} waits for nothing: no release put anything in its place.`,
      `an old shape that \`verdigris expand-contract\` lists${listed === '' ? '; there is none.' : `: ${listed}.`}`,
    );
  await c.on(c.live, (client) => readColumn(client, schema, table, column));
  return plainDrop(schema, table, column, lastUsedBy);
}
