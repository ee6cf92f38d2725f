import type { Node } from 'libpg-query';

/** As whom a statement of a dump is to be run on the candidate. */
export interface RunAs {
  /**
   * Roles whose code PostgreSQL may evaluate as it runs: it is theirs to run. None where nothing can be evaluated: then
   * it is the operator's.
   */
  readonly owners: readonly string[];
  /** Says who owns what a statement before it made, or what that is: it may as well come later. */
  readonly later: boolean;
  /** What an owner need not have had any more since it was made. */
  readonly needs: readonly Need[];
}

export interface Need {
  readonly kind: 'create' | 'usage' | 'server' | 'references' | 'execute';
  /** Of a schema, a foreign server, a table or a function without arguments. */
  readonly name: readonly string[];
}

/**
 * Statements in which there is no expression, no literal of a type and no index that is looked into. Everything else may
 * run code of users' while it is parsed or planned: what is constant is evaluated, and the value of a domain is checked.
 */
const withoutCode = new Set([
  ...['AlterDefaultPrivilegesStmt', 'AlterEventTrigStmt', 'AlterExtensionContentsStmt', 'AlterExtensionStmt'],
  ...['AlterObjectDependsStmt', 'AlterOpFamilyStmt', 'AlterOwnerStmt', 'AlterPublicationStmt', 'AlterSeqStmt'],
  ...['CommentStmt', 'CompositeTypeStmt', 'CreateAmStmt', 'CreateCastStmt', 'CreateConversionStmt', 'CreateEnumStmt'],
  ...['CreateEventTrigStmt', 'CreateExtensionStmt', 'CreateFdwStmt', 'CreateForeignServerStmt', 'CreateOpClassStmt'],
  ...['CreateOpFamilyStmt', 'CreatePLangStmt', 'CreatePublicationStmt', 'CreateRangeStmt', 'CreateSchemaStmt'],
  ...['CreateSeqStmt', 'CreateTransformStmt', 'CreateUserMappingStmt', 'GrantRoleStmt', 'GrantStmt', 'SecLabelStmt'],
]);

/** Of each of these statements, which a dump has in this order. `owned`: who owns what, of the whole dump. */
export function runAs(nodes: readonly Node[], owned: Owned): RunAs[] {
  return nodes.map((node, place) => {
    const later = ownerOf(node) !== undefined || 'CommentStmt' in node;
    if (later || isWithoutCode(node)) return { owners: [], later, needs: [] };
    const relations = relationsOf(node);
    const owners = relations.flatMap((each) => owned.relations.get(pathOf(each)) ?? []);
    // pg_dump says whose an object is right after it.
    const own = owners.length > 0 ? undefined : (domainOwner(node, owned) ?? ownerOf(nodes[place + 1]));
    const all = new Set(own === undefined ? owners : [own]);
    return { owners: [...all].toSorted(), later: false, needs: needsOf(node, owned) };
  });
}

/** Owners by JSON of schema and name; an index and a key are their table's. */
export interface Owned {
  readonly relations: Map<string, string>;
  readonly domains: Map<string, string>;
}

/** Adds what statements say of owners: first those of the tables, then those of what belongs to them. */
export function readOwners(nodes: readonly Node[], { relations, domains }: Owned): void {
  for (const node of nodes) {
    const owner = ownerOf(node);
    if (owner === undefined) continue;
    if ('AlterTableStmt' in node) relations.set(pathOf(node.AlterTableStmt.relation), owner);
    if ('AlterOwnerStmt' in node && node.AlterOwnerStmt.objectType === 'OBJECT_DOMAIN')
      domains.set(JSON.stringify(stringsOf(node.AlterOwnerStmt.object)), owner);
  }
  for (const node of nodes) {
    const [name, table] = 'IndexStmt' in node ? [node.IndexStmt.idxname, node.IndexStmt.relation] : keyOf(node);
    const owner = relations.get(pathOf(table));
    if (name !== undefined && owner !== undefined) relations.set(JSON.stringify([table?.schemaname, name]), owner);
  }
}

type Relation = { readonly schemaname?: string; readonly relname?: string } | undefined;

function pathOf(relation: Relation): string {
  return JSON.stringify([relation?.schemaname, relation?.relname]);
}

/** Constraints that have an index of their name; others may be named as a table is. */
const withIndex = new Set(['CONSTR_PRIMARY', 'CONSTR_UNIQUE', 'CONSTR_EXCLUSION']);

function keyOf(node: Node): [string | undefined, Relation] {
  const [command] = commandsOf(node);
  const def = command?.def;
  const { contype = '', conname } = def !== undefined && 'Constraint' in def ? def.Constraint : {};
  const relation = 'AlterTableStmt' in node ? node.AlterTableStmt.relation : undefined;
  return [withIndex.has(contype) ? conname : undefined, relation];
}

function commandsOf(node: Node) {
  if (!('AlterTableStmt' in node)) return [];
  return (node.AlterTableStmt.cmds ?? []).flatMap((each) => ('AlterTableCmd' in each ? [each.AlterTableCmd] : []));
}

/** Whom the statement gives an object to. */
function ownerOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if ('AlterOwnerStmt' in node) return node.AlterOwnerStmt.newowner?.rolename;
  const [command] = commandsOf(node);
  return command?.subtype === 'AT_ChangeOwner' ? command.newowner?.rolename : undefined;
}

function domainOwner(node: Node, { domains }: Owned): string | undefined {
  return 'AlterDomainStmt' in node ? domains.get(JSON.stringify(namesOf(node.AlterDomainStmt.typeName))) : undefined;
}

function isWithoutCode(node: Node): boolean {
  const [kind = ''] = Object.keys(node);
  if (withoutCode.has(kind)) return true;
  // An aggregate's first value is read as one of its type.
  if ('DefineStmt' in node) return node.DefineStmt.kind !== 'OBJECT_AGGREGATE';
  return 'CreateFunctionStmt' in node && (!hasExpressions(node) || needsSuperuser(node));
}

function hasExpressions(node: Extract<Node, { CreateFunctionStmt: unknown }>): boolean {
  const { parameters = [], sql_body: body } = node.CreateFunctionStmt;
  return body !== undefined || parameters.some((each) => 'FunctionParameter' in each && each.FunctionParameter.defexpr);
}

/** Of a language in which only a superuser may write, by PostgreSQL's custom of naming them; or leakproof. */
function needsSuperuser(node: Extract<Node, { CreateFunctionStmt: unknown }>): boolean {
  return (node.CreateFunctionStmt.options ?? []).some((each) => {
    if (!('DefElem' in each)) return false;
    const { defname, arg } = each.DefElem;
    const value = arg !== undefined && 'String' in arg ? (arg.String.sval ?? '') : '';
    return (
      defname === 'leakproof' || defname === 'support' || (defname === 'language' && /^(c|internal|.*u)$/.test(value))
    );
  });
}

/** What the statement changes, and what PostgreSQL wants the same role to own. */
function relationsOf(node: Node): Relation[] {
  if ('CreateStmt' in node) return [node.CreateStmt.relation, ...rangesOf(node.CreateStmt.inhRelations)];
  if ('CreateForeignTableStmt' in node) {
    const { relation, inhRelations } = node.CreateForeignTableStmt.base ?? {};
    return [relation, ...rangesOf(inhRelations)];
  }
  if ('ViewStmt' in node) return [node.ViewStmt.view];
  if ('CreateTableAsStmt' in node) return [node.CreateTableAsStmt.into?.rel];
  if ('IndexStmt' in node) return [node.IndexStmt.relation];
  if ('CreateTrigStmt' in node) return [node.CreateTrigStmt.relation];
  if ('RuleStmt' in node) return [node.RuleStmt.relation];
  if ('CreatePolicyStmt' in node) return [node.CreatePolicyStmt.table];
  if ('CreateStatsStmt' in node) return rangesOf(node.CreateStatsStmt.relations);
  if (!('AlterTableStmt' in node)) return [];
  const others = commandsOf(node).flatMap(({ def }) => {
    if (def === undefined) return [];
    if ('PartitionCmd' in def) return [def.PartitionCmd.name];
    // ALTER TABLE … INHERIT
    return 'RangeVar' in def ? [def.RangeVar] : [];
  });
  return [node.AlterTableStmt.relation, ...others];
}

function rangesOf(nodes: readonly Node[] | undefined): Relation[] {
  return (nodes ?? []).flatMap((each) => ('RangeVar' in each ? [each.RangeVar] : []));
}

function needsOf(node: Node, { relations }: Owned): Need[] {
  const schemas = new Set<string>();
  qualifiers(node, schemas);
  const needs: Need[] = [...schemas].flatMap((name) => [
    { kind: 'usage', name: [name] },
    ...(placesOf(node).includes(name) ? [{ kind: 'create', name: [name] } as const] : []),
  ]);
  if ('CreateForeignTableStmt' in node)
    needs.push({ kind: 'server', name: [node.CreateForeignTableStmt.servername ?? ''] });
  if ('CreateTrigStmt' in node) needs.push({ kind: 'execute', name: namesOf(node.CreateTrigStmt.funcname) });
  for (const { def } of commandsOf(node)) {
    const key = def !== undefined && 'Constraint' in def ? def.Constraint.pktable : undefined;
    const own = 'AlterTableStmt' in node ? relations.get(pathOf(node.AlterTableStmt.relation)) : undefined;
    if (key && relations.get(pathOf(key)) !== own)
      needs.push({ kind: 'references', name: [key.schemaname ?? '', key.relname ?? ''] });
  }
  return needs;
}

/** Schemas in which it makes something. */
function placesOf(node: Node): (string | undefined)[] {
  if ('CreateFunctionStmt' in node) return namesOf(node.CreateFunctionStmt.funcname);
  if ('DefineStmt' in node) return namesOf(node.DefineStmt.defnames);
  if ('CreateDomainStmt' in node) return namesOf(node.CreateDomainStmt.domainname);
  const statistics = 'CreateStatsStmt' in node ? namesOf(node.CreateStatsStmt.defnames) : [];
  return [...statistics, ...relationsOf(node).map((relation) => relation?.schemaname)];
}

/** Schemas that are named anywhere in it, and perhaps other words: of a relation, and what a longer name begins with. */
function qualifiers(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  const { schemaname } = value as { schemaname?: unknown };
  if (typeof schemaname === 'string') found.add(schemaname);
  if (Array.isArray(value)) {
    const [first, second] = namesOf(value as Node[]);
    if (first !== undefined && second !== undefined) found.add(first);
  }
  // A column's is its table's name in the statement.
  for (const [key, inner] of Object.entries(value)) if (key !== 'fields') qualifiers(inner, found);
}

function stringsOf(node: Node | undefined): string[] {
  return node !== undefined && 'List' in node ? namesOf(node.List.items) : [];
}

function namesOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((each) => ('String' in each ? [each.String.sval ?? ''] : []));
}
