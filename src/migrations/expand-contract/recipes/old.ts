import { rows, type Client } from '../../../postgres/client.ts';
import { ident } from '../../../postgres/quote.ts';
import type { Wait } from '../waits.ts';
import { readColumn, unfitForRecipe, type RecipeColumn } from './column.ts';
import type { ContractColumn } from './contract.ts';
import { functionName } from './sync.ts';

/** Both columns of an expansion, as they are on the live colour. */
export async function readOldColumn(
  client: Client,
  { object, replacedBy, kind }: Wait,
): Promise<Omit<ContractColumn, 'lastUsedBy'>> {
  const [schema, table, column] = object.split('.');
  const [, , fresh] = replacedBy.split('.');
  if (kind !== 'column' || schema === undefined || table === undefined || column === undefined || fresh === undefined) {
    throw unfitForRecipe(
      `${object} is a ${kind}.`,
      'a column.',
      `write the migration by hand: DROP it, below -- verdigris: contract ${object} last-used-by RELEASE`,
    );
  }
  const [old, other] = [
    await readColumn(client, schema, table, column),
    await readColumn(client, schema, table, fresh),
  ];
  return { old, fresh: other, required: await refusesNull(client, old, fresh) };
}

/** The trigger took the NOT NULL of the old column over, where it had one. */
async function refusesNull(client: Client, old: RecipeColumn, fresh: string): Promise<boolean> {
  const found = await rows(
    client,
    "SELECT FROM pg_proc WHERE oid = to_regproc($1) AND prosrc LIKE '%not_null_violation%'",
    [ident(old.schema, functionName(old, fresh))],
  );
  return found.length > 0;
}
