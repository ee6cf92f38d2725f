import type { Node } from 'libpg-query';
import { all, as, nameLabel, type Name, type Of } from '../ast.ts';
import { columnType, typeText } from '../column-type.ts';
import type { LintContext } from '../context.ts';
import type { Draft, LintRule } from '../rule.ts';
import { dropped, sameName, type DropType } from './dropped.ts';
import { typeReturns } from './enums.ts';

export const dropFunction: LintRule = {
  id: 'drop-function',
  title: 'A function or procedure is dropped',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why: 'Calls of the live release fail, and so do triggers, views and defaults that the text of other functions hides.',
  instead:
    'Add the new one beside it, and drop the old in the release after. CREATE OR REPLACE where the signature stays.',
  bad: 'DROP FUNCTION f(integer);',
  good: "CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x + 1';",
  check: {
    *DropStmt(node, context) {
      const kinds: DropType[] = ['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE'];
      if (!kinds.includes(node.removeType ?? 'OBJECT_TABLE')) return;
      for (const object of node.objects ?? []) {
        const name = context.nameOf(object);
        const known = context.schema.functions.get(nameLabel(name));
        if (known?.every((one) => one.batch === context.schema.batch) === true || createdLater(name, context)) continue;
        const fired = known?.every(({ returns }) => returns === 'trigger') === true;
        yield {
          message: fired ? `Nothing fires ${name.name} any more.` : `The live release calls ${name.name}.`,
          object: routineObject(object, context),
          // No statement calls it: what its triggers did is theirs.
          ...(fired ? { severity: 'warning' as const, verdict: 'harmless' as const } : {}),
        } satisfies Draft;
      }
    },
  },
};

/** A function as the catalogue's findings print it: `public.f(integer)`. */
export function routineObject(object: Node, context: LintContext): string {
  const name = nameLabel(context.nameOf(object));
  const given = as(object, 'ObjectWithArgs');
  const types = all(given?.objargs, 'TypeName').map((type) => typeText(columnType(type)));
  const known = context.schema.functions.get(name)?.[0]?.arguments;
  return `${name}(${(given?.args_unspecified === true ? known : types.join(', ')) ?? ''})`;
}

export function createdLater(name: Name, context: LintContext): Of<'CreateFunctionStmt'> | undefined {
  return context.after
    .filter((one) => one.tag === 'CreateFunctionStmt')
    .map((one) => one.fields as Of<'CreateFunctionStmt'>)
    .find((one) => sameName(context.nameOf(one.funcname), name));
}

export const dropType: LintRule = {
  id: 'drop-type',
  title: 'A type or domain is dropped',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  breaksRollback: true,
  why: 'The live release casts to it or reads columns of it; the retained database keeps it, and the two schemas part.',
  instead: 'Drop it in the release after the last one that uses it.',
  bad: 'DROP TYPE unused;',
  good: "CREATE TYPE shade AS ENUM ('light');\nDROP TYPE shade;",
  remedy: false,
  check: {
    *DropStmt(node, context) {
      for (const name of dropped(node, context, 'OBJECT_TYPE', 'OBJECT_DOMAIN')) {
        const known = context.schema.types.get(nameLabel(name));
        // The name that the live release knows is there again, or is not gone: what it is now is judged as a type.
        const back = known?.was ? context.schema.types.has(nameLabel(known.was)) : typeReturns(context, name);
        if (known?.batch === context.schema.batch || back) continue;
        yield {
          message: `The live release may use the type ${name.name}.`,
          object: nameLabel(known?.was ?? name),
        } satisfies Draft;
      }
    },
  },
};
