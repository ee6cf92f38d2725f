import { parse, type Node } from 'libpg-query';
import { lockerRole, readerRole, streamPattern } from '../../model/names.ts';
import type { ObjectKey } from '../part/graph.ts';
import { isOfPart, readToc, type TocEntry } from '../part/toc.ts';
import { splitScript, type ScriptItem } from '../script/split.ts';
import { readOwners, runAs, type Owned, type RunAs } from './run-as.ts';

/**
 * When a statement of a dump is run. `pre`: before any row. `key`: what keeps rows unique, side by side; `identity`:
 * what makes of keys those of partitioned tables and of replication, which needs both before it applies. `index`: the
 * others, side by side. `rest`: in the dump's order, after all of them.
 */
export type Stage = 'pre' | 'key' | 'identity' | 'index' | 'rest';

export interface SchemaStatement extends RunAs {
  readonly stage: Stage;
  /** SETs of the dump that are in effect for it, in their order. */
  readonly settings: string;
  readonly sql: string;
}

/** What of a dump is wanted, where only a part of the database moves. */
export interface PartObjects {
  readonly carried: ReadonlySet<ObjectKey>;
  /** Relations among them, as JSON of schema and name. */
  readonly relations: ReadonlySet<string>;
}

/** What the statements of a dump depend on; others are limits of the session, which Verdigris sets itself. */
const meaningful = new Set([
  'check_function_bodies',
  'default_table_access_method',
  'default_tablespace',
  'search_path',
  'standard_conforming_strings',
  'xmloption',
]);

/** Said, for the session may have run a statement that was to lie elsewhere. */
const ownSpace = "SET default_tablespace = ''";

/**
 * Splits what pg_dump wrote of one section; each statement knows by itself the settings that it is to be run under, and
 * as whom. `owned`: what the section before said of owners, and then what this one says too. `spaces`: the candidate's
 * tablespaces; what lies in another comes into the database's own.
 */
export async function readStatements(
  text: string,
  section: 'pre' | 'post',
  owned: Owned,
  spaces: ReadonlySet<string>,
  part?: PartObjects,
): Promise<SchemaStatement[]> {
  const settings = new Map<string, string>();
  const wanted = part && ofPart(text, part);
  const found: { settings: string; sql: string; node: Node }[] = [];
  for await (const item of splitScript(wholeText(text))) {
    // \restrict and \unrestrict are all that pg_dump writes of these; no data is in it.
    if (item.kind !== 'sql') continue;
    const node = (await parse(item.text)).stmts?.[0]?.stmt;
    if (node === undefined || isOurs(node)) continue;
    const set = settingOf(node);
    const left = wanted?.(item, node) === false;
    if (set === undefined && left) continue;
    if (set === undefined) found.push({ settings: [...settings.values()].join('; '), sql: item.text, node });
    else if (set === 'default_tablespace' && !isSpaceOf(node, spaces)) settings.set(set, ownSpace);
    else if (meaningful.has(set)) settings.set(set, item.text);
  }
  const nodes = found.map(({ node }) => node);
  const keys = section === 'pre' ? new Set<string>() : keysOf(nodes);
  readOwners(nodes, owned);
  const as = runAs(nodes, owned);
  return found.map(({ node, ...statement }, place) => ({
    ...statement,
    ...(as[place] as RunAs),
    stage: section === 'pre' ? 'pre' : stageOf(node, keys),
  }));
}

/** Tells which statements of a dump are of a part. */
function ofPart(text: string, { carried, relations }: PartObjects): (item: ScriptItem, node: Node) => boolean {
  const entries = readToc(text);
  const all = new Map(entries.map((entry) => [entry.id, entry]));
  let entry: TocEntry | undefined;
  let next = 0;
  let end = 0;
  return ({ offset, text: sql }, node) => {
    for (; (entries[next]?.offset ?? Infinity) < offset; next += 1)
      // What looks like one within a function's body is none.
      if ((entries[next]?.offset ?? 0) >= end) entry = entries[next];
    end = offset + Buffer.byteLength(sql);
    if (entry === undefined) return true;
    const { relation } = 'AlterTableStmt' in node ? node.AlterTableStmt : {};
    return isOfPart(entry, all, carried) ?? relations.has(path(relation?.schemaname, relation?.relname));
  };
}

async function* wholeText(text: string): AsyncGenerator<{ offset: number; bytes: Buffer }> {
  yield await Promise.resolve({ offset: 0, bytes: Buffer.from(text) });
}

function settingOf(node: Node): string | undefined {
  if ('VariableSetStmt' in node) return node.VariableSetStmt.name ?? '';
  // SELECT pg_catalog.set_config('search_path', '', false)
  return 'SelectStmt' in node ? 'search_path' : undefined;
}

function isSpaceOf(node: Node, spaces: ReadonlySet<string>): boolean {
  const [value] = 'VariableSetStmt' in node ? (node.VariableSetStmt.args ?? []) : [];
  const name = value && 'A_Const' in value ? (value.A_Const.sval?.sval ?? '') : '';
  return name === '' || spaces.has(name);
}

/** Publications of streams belong to the server they are on, and so does what Verdigris's readers are granted there. */
function isOurs(node: Node): boolean {
  if ('GrantStmt' in node) return (node.GrantStmt.grantees ?? []).some(isReader);
  const name =
    'CreatePublicationStmt' in node
      ? node.CreatePublicationStmt.pubname
      : 'AlterPublicationStmt' in node
        ? node.AlterPublicationStmt.pubname
        : 'AlterOwnerStmt' in node && node.AlterOwnerStmt.objectType === 'OBJECT_PUBLICATION'
          ? nameOf(node.AlterOwnerStmt.object)
          : undefined;
  return new RegExp(streamPattern).test(name ?? '');
}

function isReader(node: Node): boolean {
  return 'RoleSpec' in node && [readerRole, lockerRole].includes(node.RoleSpec.rolename ?? '');
}

function nameOf(node: Node | undefined): string | undefined {
  return node !== undefined && 'String' in node ? node.String.sval : undefined;
}

/**
 * Names of the indexes by which rows are unique or found. An index's name is unique in its schema, which is its
 * table's.
 */
function keysOf(nodes: readonly Node[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const node of nodes) {
    if ('IndexStmt' in node && node.IndexStmt.unique === true)
      keys.add(path(node.IndexStmt.relation?.schemaname, node.IndexStmt.idxname));
    for (const { contype, conname, schema } of constraintsOf(node))
      if (contype === 'CONSTR_PRIMARY' || contype === 'CONSTR_UNIQUE') keys.add(path(schema, conname));
  }
  return keys;
}

function stageOf(node: Node, keys: ReadonlySet<string>): Stage {
  if ('IndexStmt' in node) return node.IndexStmt.unique === true ? 'key' : 'index';
  const [constraint] = constraintsOf(node);
  if (constraint)
    return constraint.contype === 'CONSTR_PRIMARY' || constraint.contype === 'CONSTR_UNIQUE'
      ? 'key'
      : constraint.contype === 'CONSTR_EXCLUSION'
        ? 'index'
        : 'rest';
  for (const { subtype, def } of commandsOf(node)) {
    if (subtype === 'AT_ReplicaIdentity') return 'identity';
    if (subtype === 'AT_AttachPartition' && def !== undefined && 'PartitionCmd' in def) {
      const child = def.PartitionCmd.name;
      return keys.has(path(child?.schemaname, child?.relname)) ? 'identity' : 'rest';
    }
  }
  return 'rest';
}

function commandsOf(node: Node) {
  if (!('AlterTableStmt' in node)) return [];
  return (node.AlterTableStmt.cmds ?? []).flatMap((each) => ('AlterTableCmd' in each ? [each.AlterTableCmd] : []));
}

function constraintsOf(node: Node) {
  const schema = 'AlterTableStmt' in node ? node.AlterTableStmt.relation?.schemaname : undefined;
  return commandsOf(node).flatMap(({ def }) =>
    def !== undefined && 'Constraint' in def
      ? [{ contype: def.Constraint.contype, conname: def.Constraint.conname, schema }]
      : [],
  );
}

function path(schema: string | undefined, name: string | undefined): string {
  return JSON.stringify([schema, name]);
}
