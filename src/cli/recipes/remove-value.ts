import { Command } from 'commander';
import { unfitForRecipe } from '../../migrations/expand-contract/recipes/column.ts';
import { readEnum } from '../../migrations/expand-contract/recipes/read.ts';
import { removeValue } from '../../migrations/expand-contract/recipes/remove-value.ts';
import { namedTable, recipe } from '../recipe-command.ts';
import { writeRead, type RecipeGiven } from './given.ts';

export function removeValueCommand(): Command {
  return recipe(new Command('remove-value'))
    .summary('migrations that take a value of an enum away')
    .argument('<type>', 'such as shop.mood; without a schema, public')
    .argument('<value>')
    .argument('<instead>', 'the value that takes its place')
    .action((name: string, value: string, instead: string, _: RecipeGiven, self: Command) =>
      writeRead(self, async (client) => {
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
    );
}
