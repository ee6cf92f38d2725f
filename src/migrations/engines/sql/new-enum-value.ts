import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import { tokensOf } from '../../lint/tokens.ts';
import type { SqlFile } from './file.ts';
import type { AddedValue, SqlStatement } from './parse.ts';

/**
 * PostgreSQL takes a value of an enum only once the transaction that added it has committed. A text of the same letters is
 * no use of it: `may` says which statements can hold a value of the type.
 * @throws VerdigrisError `migration-forbidden`.
 */
export function refuseNewEnumValue(
  { path: file, statements }: Pick<SqlFile, 'path' | 'statements'>,
  may: (statement: SqlStatement, added: AddedValue) => boolean,
): void {
  for (const [index, { addsEnumValue: added, line }] of statements.entries()) {
    const use = added && statements.slice(index + 1).find((each) => may(each, added) && names(each, added.value));
    if (use)
      throw new VerdigrisError('migration-forbidden', {
        seen:
          `${path.basename(file)}:${use.line}: this statement uses '${added.value}', which line ${line} adds to its enum in ` +
          'the same transaction.',
        required: 'a value that is committed before it is used.',
        next: 'move the statement to the next file, or make `-- verdigris: no-transaction` the first line of this one.',
        facts: { file },
      });
  }
}

function names({ text, data }: SqlStatement, value: string): boolean {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  const opaque = data?.opaque === true && text.includes(quoted);
  return opaque || tokensOf(text, 0).some((token) => !token.comment && token.text === quoted);
}
