import type { TypeName } from 'libpg-query';
import { all, type Of } from './ast.ts';
import { columnType, typeText } from './column-type.ts';

/** What calls of a function find it by, and what they get. */
export interface Signature {
  readonly arguments: string;
  readonly returns: string;
}

export function signatureOf({ parameters, returnType }: Of<'CreateFunctionStmt'>): Signature {
  const given = all(parameters, 'FunctionParameter').map(({ mode = '', argType }) => ({ mode, type: typeOf(argType) }));
  const out = given.filter(({ mode }) => /(?:OUT|TABLE)$/.test(mode)).map(({ type }) => type);
  const one = returnType ? typeOf(returnType) : out.length === 1 ? out[0] : out.length > 1 ? 'record' : '';
  return {
    arguments: given.flatMap(({ mode, type }) => (/_(?:OUT|TABLE)$/.test(mode) ? [] : [type])).join(', '),
    returns: `${returnType?.setof === true ? 'setof ' : ''}${one}`,
  };
}

/** PostgreSQL forgets a length or a precision there. */
function typeOf(type: TypeName | undefined): string {
  return typeText({ ...columnType(type), parameters: [] });
}
