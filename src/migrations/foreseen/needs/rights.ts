import type { Node } from 'libpg-query';
import { all, as, option, strings, type Of, type Tag } from '../../lint/ast.ts';
import type { Statement } from '../../lint/statement.ts';
import type { StatementNeed, Running } from './need.ts';

/** Statements that take a superuser whatever they name. */
const superusers: { readonly [T in Tag]?: (node: Of<T>) => string | undefined } = {
  CreateEventTrigStmt: () => 'an event trigger',
  AlterEventTrigStmt: () => 'an event trigger',
  CreateFdwStmt: () => 'a foreign-data wrapper',
  AlterFdwStmt: () => 'a foreign-data wrapper',
  CreateAmStmt: () => 'an access method',
  CreateOpClassStmt: () => 'an operator class',
  CreateOpFamilyStmt: () => 'an operator family',
  CreatePublicationStmt: ({ for_all_tables: everything, pubobjects }) => {
    if (everything === true) return 'a publication FOR ALL TABLES';
    const parts = all(pubobjects, 'PublicationObjSpec');
    return parts.some(({ pubobjtype }) => pubobjtype !== 'PUBLICATIONOBJ_TABLE')
      ? 'a publication FOR TABLES IN SCHEMA'
      : undefined;
  },
  LoadStmt: ({ filename = '' }) => (filename.startsWith('$libdir/plugins/') ? undefined : 'LOAD'),
  DefineStmt: ({ kind, definition }) =>
    kind === 'OBJECT_TSPARSER' ||
    kind === 'OBJECT_TSTEMPLATE' ||
    (kind === 'OBJECT_TYPE' && option(definition, 'input'))
      ? 'such a definition'
      : undefined,
};

/** Roles that have to be there, and rights that whoever runs the file has to have. */
export function rightsNeeded({ node, tag, fields }: Statement, { as: owner }: Running): StatementNeed[] {
  const there = [...new Set(rolesIn(node))].map(roleIsThere);
  if (owner === undefined) return there;
  const what = (superusers[tag] as ((node: object) => string | undefined) | undefined)?.(fields);
  return [
    ...there,
    ...(what === undefined ? [] : [superuser(owner, `${what} takes a superuser`)]),
    ...ownersIn(node).map((change) => mayGive(owner, change)),
    ...codeNeeded(node, owner),
    ...triggersNeeded(node, owner),
    ...(tag === 'CheckPointStmt' ? [checkpointNeeded(owner)] : []),
    ...belongingsOf(node).map(([role, lacking]) => hasRightsOf(owner, role, lacking)),
  ];
}

/** The node is one of several in a tree where the field's name says so, and one of a list where its own does. */
function* rolesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  const { roletype, rolename } = value as Partial<Of<'RoleSpec'>>;
  if (roletype === 'ROLESPEC_CSTRING' && rolename !== undefined) yield rolename;
  for (const inner of Object.values(value)) yield* rolesIn(inner);
}

export function roleIsThere(role: string): StatementNeed {
  return {
    holds: 'EXISTS (SELECT FROM pg_roles WHERE rolname = $1)',
    values: [role],
    lacking: `role "${role}" does not exist`,
  };
}

/** Whether a role, by its name in a parameter, is a superuser. */
export const isSuper = (parameter: string): string => `(SELECT rolsuper FROM pg_roles WHERE rolname = ${parameter})`;

export function superuser(owner: string, lacking: string): StatementNeed {
  return { holds: isSuper('$1'), values: [owner], lacking, right: true };
}

/** `$1` becomes `$2` by SET ROLE; of a role that is not there, another need says so. */
const becomes = `NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $2)
  OR CASE WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role($1, $2, 'SET') ELSE pg_has_role($1, $2, 'MEMBER') END`;

export function mayBecome(owner: string, role: string): StatementNeed {
  return { holds: becomes, values: [owner, role], lacking: `permission denied to set role "${role}"`, right: true };
}

/** Roles whose rights a statement uses without becoming one of them, and what is said without. */
function belongingsOf(node: Node): [role: string, lacking: string][] {
  const drop = as(node, 'DropOwnedStmt');
  const reassign = as(node, 'ReassignOwnedStmt');
  const defaults = option(as(node, 'AlterDefaultPrivilegesStmt')?.options, 'roles');
  const said = (roles: Iterable<string>, what: string): [string, string][] =>
    [...roles].map((role) => [role, `permission denied to ${what} "${role}"`]);
  return [
    ...said(rolesIn(drop), 'drop objects owned by role'),
    ...said(rolesIn(reassign?.roles), 'reassign objects owned by role'),
    ...said(rolesIn(reassign?.newrole), 'reassign objects to role'),
    ...said(rolesIn(defaults), 'change default privileges of role'),
  ];
}

function hasRightsOf(owner: string, role: string, lacking: string): StatementNeed {
  return {
    holds: "NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $2) OR pg_has_role($1, $2, 'USAGE')",
    values: [owner, role],
    lacking,
    right: true,
  };
}

interface Giving {
  readonly role: string;
  /** What is given, by its bare name, and where it is looked for: it may be that role's already. */
  readonly name: string;
  readonly among: keyof typeof ownedAlready;
}

/** What belongs to the role already takes no right; whatever this does not name may. */
const ownedAlready = {
  relation: 'EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE relname = $3 AND rolname = $2)',
  routine: 'EXISTS (SELECT FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE proname = $3 AND rolname = $2)',
  schema:
    'EXISTS (SELECT FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE nspname = $3 AND rolname = $2)',
  type: 'EXISTS (SELECT FROM pg_type t JOIN pg_roles r ON r.oid = t.typowner WHERE typname = $3 AND rolname = $2)',
} as const;

const among: Readonly<Record<string, Giving['among']>> = {
  OBJECT_AGGREGATE: 'routine',
  OBJECT_FUNCTION: 'routine',
  OBJECT_PROCEDURE: 'routine',
  OBJECT_ROUTINE: 'routine',
  OBJECT_SCHEMA: 'schema',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
};

function ownersIn(node: Node): Giving[] {
  const { newowner, object, objectType = '' } = as(node, 'AlterOwnerStmt') ?? {};
  const kind = among[objectType];
  if (newowner?.rolename !== undefined && kind !== undefined)
    return [{ role: newowner.rolename, name: strings(object).at(-1) ?? '', among: kind }];
  const { relation, cmds } = as(node, 'AlterTableStmt') ?? {};
  const given = all(cmds, 'AlterTableCmd').flatMap(({ subtype, newowner: to }) =>
    subtype === 'AT_ChangeOwner' && to?.rolename !== undefined
      ? [{ role: to.rolename, name: relation?.relname ?? '', among: 'relation' as const }]
      : [],
  );
  const { authrole, schemaname = authrole?.rolename ?? '' } = as(node, 'CreateSchemaStmt') ?? {};
  return authrole?.rolename === undefined ? given : [{ role: authrole.rolename, name: schemaname, among: 'schema' }];
}

function mayGive(owner: string, { role, name, among: where }: Giving): StatementNeed {
  return {
    holds: `${becomes} OR ${ownedAlready[where]}`,
    values: [owner, role, name],
    lacking: `must be able to SET ROLE "${role}"`,
    right: true,
  };
}

/** A function in a language that reaches past the database. */
function codeNeeded(node: Node, owner: string): StatementNeed[] {
  const language = strings(option(as(node, 'CreateFunctionStmt')?.options, 'language')?.arg)[0];
  if (language === undefined) return [];
  return [
    {
      holds: `${isSuper('$1')} OR NOT EXISTS (SELECT FROM pg_language WHERE lanname = lower($2) AND NOT lanpltrusted)`,
      values: [owner, language],
      names: [language],
      lacking: `permission denied for language ${language}`,
      right: true,
    },
  ];
}

function checkpointNeeded(owner: string): StatementNeed {
  return {
    holds: `${isSuper('$1')} OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_checkpoint' AND pg_has_role($1, oid, 'USAGE'))`,
    values: [owner],
    lacking: 'permission denied to execute CHECKPOINT',
    right: true,
  };
}

/** DISABLE TRIGGER ALL means those of foreign keys too. */
function triggersNeeded(node: Node, owner: string): StatementNeed[] {
  const { relation, cmds } = as(node, 'AlterTableStmt') ?? {};
  const name = relation?.relname;
  if (name === undefined) return [];
  const switches = all(cmds, 'AlterTableCmd').some(({ subtype }) =>
    /^AT_(?:Disable|Enable)TrigAll$/.test(subtype ?? ''),
  );
  if (!switches) return [];
  return [
    {
      holds: `${isSuper('$1')} OR (SELECT count(*) <> 1 FROM pg_class WHERE relname = $2)
        OR NOT EXISTS (SELECT FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relname = $2 AND g.tgisinternal)`,
      values: [owner, name],
      names: [name],
      lacking: `permission denied: "${name}" has triggers of foreign keys, which ALL means too; USER leaves them out`,
      right: true,
    },
  ];
}
