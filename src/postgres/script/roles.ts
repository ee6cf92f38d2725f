import { parse } from 'libpg-query';
import { rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';

/** Statements that name roles; others are not worth a parse. */
const namesRoles =
  /^(ALTER|GRANT|REVOKE|REASSIGN|CREATE\s+(SCHEMA|POLICY|USER\s+MAPPING)|SET\s+(SESSION\s+|LOCAL\s+)?(ROLE|SESSION\s+AUTHORIZATION))\b/i;

/** Makes the roles that statements refer to and the server lacks, as NOLOGIN: a dump's owners are of another server. */
export interface RoleMaker {
  /** The names made for this statement. */
  prepare(statement: string): Promise<string[]>;
  /** The role that this statement would make and that the server has: the environment made it, or `prepare` did. */
  present(statement: string): Promise<string | undefined>;
}

export async function roleMaker(client: Client): Promise<RoleMaker> {
  const read = async (): Promise<Set<string>> =>
    new Set(
      (await rows<{ rolname: string }>(client, 'SELECT rolname FROM pg_catalog.pg_roles')).map(
        ({ rolname }) => rolname,
      ),
    );
  let known = await read();
  return {
    prepare: async (statement) => {
      if (!namesRoles.test(statement)) return [];
      // What the parser does not understand the server may; it will say so itself.
      const tree: unknown = await parse(statement).catch(() => undefined);
      const named = [...new Set(roleNames(tree))];
      // The script may have made it meanwhile.
      if (named.some((name) => !known.has(name))) known = await read();
      const missing = named.filter((name) => !known.has(name));
      for (const name of missing) {
        await client.query(`CREATE ROLE ${ident(name)} NOLOGIN`);
        known.add(name);
      }
      return missing;
    },
    present: async (statement) => {
      if (!makesRole.test(statement)) return undefined;
      const tree: unknown = await parse(statement).catch(() => undefined);
      const name = madeRole(tree);
      return name !== undefined && (await read()).has(name) ? name : undefined;
    },
  };
}

const makesRole = /^CREATE\s+(ROLE|USER|GROUP)\s/i;

function madeRole(tree: unknown): string | undefined {
  const { stmts } = (tree ?? {}) as { stmts?: readonly { stmt?: { CreateRoleStmt?: { role?: string } } }[] };
  return stmts?.[0]?.stmt?.CreateRoleStmt?.role;
}

function roleNames(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap(roleNames);
  const {
    roletype,
    rolename,
    VariableSetStmt: setting,
  } = node as { roletype?: string; rolename?: string; VariableSetStmt?: Setting };
  if (roletype === 'ROLESPEC_CSTRING' && rolename !== undefined) return [rolename];
  if (setting && /^(role|session_authorization)$/.test(setting.name ?? '')) {
    const name = setting.args?.[0]?.A_Const?.sval?.sval;
    return name === undefined || name === 'none' ? [] : [name];
  }
  return Object.values(node).flatMap(roleNames);
}

interface Setting {
  readonly name?: string;
  readonly args?: readonly { readonly A_Const?: { readonly sval?: { readonly sval?: string } } }[];
}
