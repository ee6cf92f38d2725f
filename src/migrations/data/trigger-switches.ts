import type { Node } from 'libpg-query';
import { label, type Table } from '../../postgres/catalogue.ts';
import { rows, withFixedPath, type Client } from '../../postgres/client.ts';
import { all, as } from '../lint/ast.ts';
import type { FileSetting } from './file-settings.ts';
import { fits } from './judge.ts';
import type { NamedRelation } from './read.ts';

/** Triggers of a table that a statement disables or enables: one by its name, all, or all but those of foreign keys. */
export interface TriggerSwitch {
  readonly table: NamedRelation;
  readonly off: boolean;
  readonly which: { readonly name: string } | 'all' | 'user';
}

export function triggerSwitches(node: Node): TriggerSwitch[] {
  const { relation, cmds } = as(node, 'AlterTableStmt') ?? {};
  const table = { schema: relation?.schemaname, name: relation?.relname ?? '' };
  return all(cmds, 'AlterTableCmd').flatMap(({ subtype = '', name = '' }) => {
    const [, does, of] = /^AT_(Enable|EnableAlways|EnableReplica|Disable)Trig(All|User)?$/.exec(subtype) ?? [];
    if (does === undefined) return [];
    return [
      { table, off: does === 'Disable', which: of === 'All' ? 'all' : of === 'User' ? 'user' : { name } } as const,
    ];
  });
}

/** A trigger of the live colour that fires, by the name of its table as findings print it. */
export interface LiveTrigger {
  readonly table: string;
  /** Of a foreign key's, the key's. */
  readonly name: string;
  readonly function: string;
  readonly ofKey: boolean;
}

export function liveTriggers(client: Client): Promise<LiveTrigger[]> {
  return withFixedPath(client, () =>
    rows<LiveTrigger>(
      client,
      `SELECT DISTINCT n.nspname || '.' || c.relname AS table, coalesce(k.conname, t.tgname) AS name, p.proname AS function,
        t.tgisinternal AS "ofKey"
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
        LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint AND t.tgisinternal
      WHERE t.tgenabled <> 'D' AND (NOT t.tgisinternal OR k.contype = 'f') ORDER BY 1, 2`,
    ),
  );
}

interface Said {
  readonly text: string;
  /** What its file sets before it. */
  readonly sets?: readonly FileSetting[];
  readonly triggers?: readonly TriggerSwitch[];
}

/** What the files have disabled so far of the triggers that fire on the live colour. */
export class Silenced {
  readonly #live: readonly LiveTrigger[];
  readonly #off = new Set<LiveTrigger>();
  /** Words of the statements so far: a trigger that one names may be gone, or another. */
  readonly #said = new Set<string>();

  /** What RESET ALL has taken back. */
  readonly #reset = new Set<FileSetting>();
  readonly #tables: readonly string[];

  constructor(tables: readonly Table[], live: readonly LiveTrigger[]) {
    this.#tables = tables.map(label);
    this.#live = live;
  }

  learn({ text, sets = [], triggers: switches = [] }: Said): void {
    if (/^(?:reset|discard)\s+all\b/i.test(text)) for (const each of sets) this.#reset.add(each);
    for (const { table, off, which } of switches) {
      const [meant, other] = this.#tables.filter((each) => fits(table, each));
      for (const trigger of this.#live) {
        const isMeant = which === 'all' || (!trigger.ofKey && (which === 'user' || which.name === trigger.name));
        if (isMeant && other === undefined && trigger.table === meant) this.#off[off ? 'add' : 'delete'](trigger);
      }
    }
    if (switches.length === 0) for (const word of text.match(/[\p{L}\p{N}_$]+/gu) ?? []) this.#said.add(word);
  }

  /** As `schema.table name`, or what the statement's file sets for its session. */
  of(tables: readonly string[], { sets = [] }: Pick<Said, 'sets'>): string[] {
    const firing = sets.findLast((each) => each.name === 'session_replication_role' && !this.#reset.has(each));
    const [role] = /\b(?:replica|local)\b/i.exec((firing?.text ?? '').replace(/^SET LOCAL/i, '')) ?? [];
    if (role !== undefined) return [`all of session_replication_role = ${role.toLowerCase()}`];
    return [...this.#off]
      .filter(
        ({ table, name, function: calls }) => tables.includes(table) && !this.#said.has(name) && !this.#said.has(calls),
      )
      .map(({ table, name }) => `${table} ${name}`);
  }
}
