import type { Node } from 'libpg-query';
import { all, as, constant, nameLabel, option, strings, type Name, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { LintRule } from '../rule.ts';
import { signatureOf } from '../signature.ts';
import { createdLater } from './drop-code.ts';

export const changeSignature: LintRule = {
  id: 'change-function-signature',
  title: 'A function comes back with another signature',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why:
    'The live release calls it with the old arguments and reads the old result. A second function of the same name ' +
    'beside the old one can make such calls ambiguous.',
  instead:
    'Give the new function a new name, or add arguments with defaults to a function that is dropped a release later.',
  bad: "DROP FUNCTION f(integer);\nCREATE FUNCTION f(x bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT x';",
  good: "DROP FUNCTION f(integer);\nCREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';",
  check: {
    *DropStmt(node, context) {
      if (!['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE'].includes(node.removeType ?? '')) return;
      for (const object of node.objects ?? []) {
        const name = context.nameOf(object);
        const next = createdLater(name, context);
        const old =
          context.schema.functions.get(nameLabel(name))?.filter((one) => one.batch !== context.schema.batch) ?? [];
        if (!next || old.length === 0) continue;
        const now = signatureOf(next);
        const kept = old.some((one) => one.arguments === now.arguments && one.returns === now.returns);
        if (!kept)
          yield {
            message: `${name.name}(${old[0]?.arguments}) returns ${old[0]?.returns} becomes ${name.name}(${now.arguments}) returns ${now.returns}.`,
          };
      }
    },
    CreateFunctionStmt: (node, context) => {
      const old =
        context.schema.functions
          .get(nameLabel(context.nameOf(node.funcname)))
          ?.filter((one) => one.batch !== context.schema.batch) ?? [];
      const now = signatureOf(node);
      const same = old.find((one) => one.arguments === now.arguments);
      if (same && same.returns !== now.returns)
        return {
          message: `PostgreSQL refuses to change what ${strings(node.funcname).at(-1)} returns (${same.returns}) without a DROP.`,
        };
      if (same || old.length === 0) return undefined;
      return {
        message: `A second ${strings(node.funcname).at(-1)} beside the one with (${old[0]?.arguments}): calls of the live release may become ambiguous.`,
        severity: 'warning',
      };
    },
  },
};

/** One of the clauses sets it to something that does not change with the caller: `"$user"` does. */
function pinsPath(clauses: readonly Node[] | undefined): boolean {
  return all(clauses, 'DefElem').some((one) => {
    const set = as(one.arg, 'VariableSetStmt');
    const kept = set?.kind === 'VAR_SET_VALUE' || set?.kind === 'VAR_SET_CURRENT';
    return set?.name === 'search_path' && kept && !(set.args ?? []).map(constant).includes('$user');
  });
}

/** ALTER FUNCTION … SET search_path later in the file is as good. */
function setLater(name: Name, context: LintContext): boolean {
  return context.after.some((later) => {
    const fields = later.fields as Of<'AlterFunctionStmt'>;
    return (
      later.tag === 'AlterFunctionStmt' &&
      nameLabel(context.nameOf(fields.func?.objname)) === nameLabel(name) &&
      pinsPath(fields.actions)
    );
  });
}

export const definerSearchPath: LintRule = {
  id: 'security-definer-search-path',
  title: 'SECURITY DEFINER without a fixed search_path',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    "The function runs with its owner's rights and looks names up in the caller's search_path: a caller who " +
    'can create objects in any schema of it can have his own code run as the owner.',
  instead: 'SET search_path = pg_catalog, your_schema (and pg_temp last) in the function, and qualify names.',
  bad: "CREATE FUNCTION sd() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';",
  good: "CREATE FUNCTION sd() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS 'SELECT 1';",
  check: {
    CreateFunctionStmt: (node, context) => {
      const definer = as(option(node.options, 'security')?.arg, 'Boolean')?.boolval === true;
      if (!definer || pinsPath(node.options) || setLater(context.nameOf(node.funcname), context)) return undefined;
      return {
        message: `${strings(node.funcname).at(-1)} runs with its owner's rights and finds names by the caller's search_path.`,
      };
    },
    AlterFunctionStmt: (node, context) => {
      const name = context.nameOf(node.func?.objname);
      const known = context.schema.functions.get(nameLabel(name));
      const becomes = as(option(node.actions, 'security')?.arg, 'Boolean')?.boolval === true;
      const freed = all(node.actions, 'DefElem').some((one) => {
        const set = as(one.arg, 'VariableSetStmt');
        return set?.kind === 'VAR_RESET_ALL' || (set?.kind === 'VAR_RESET' && set.name === 'search_path');
      });
      const open = becomes
        ? known?.every((one) => one.searchPath) !== true
        : freed && known?.some((one) => one.definer) === true;
      if (!open || pinsPath(node.actions) || setLater(name, context)) return undefined;
      return { message: `${name.name} runs with its owner's rights and finds names by the caller's search_path.` };
    },
  },
};

export const triggerSearchPath: LintRule = {
  id: 'trigger-function-search-path',
  title: 'Trigger function without a fixed search_path',
  severity: 'info',
  category: 'replication',
  where: 'both',
  why:
    'The worker that applies replicated rows runs with a bare search_path. A trigger that fires there ' +
    '(ENABLE ALWAYS), or a function in an index or a check, does not find unqualified names and stops ' +
    'replication.',
  instead: 'SET search_path in the function, or qualify every name in it.',
  bad: 'CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log DEFAULT VALUES; RETURN NEW; END $$;',
  good:
    'CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$ ' +
    'BEGIN INSERT INTO log DEFAULT VALUES; RETURN NEW; END $$;',
  check: {
    CreateFunctionStmt: (node, context) => {
      const trigger = strings(node.returnType?.names).at(-1) === 'trigger';
      if (!trigger || pinsPath(node.options) || setLater(context.nameOf(node.funcname), context)) return undefined;
      return {
        message: `${strings(node.funcname).at(-1)} may be fired by the apply worker, whose search_path is bare.`,
      };
    },
  },
};

export const functionRules: readonly LintRule[] = [changeSignature, definerSearchPath, triggerSearchPath];
