import { parsePlPgSQLSync } from 'libpg-query';
import { rows, type Client } from '../../../postgres/client.ts';
import { as, option, strings, type Of } from '../../lint/ast.ts';
import type { Statement } from '../../lint/statement.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Procedures that end a transaction whatever they are given: inside of one a call of them fails. */
export class CommittingProcedures {
  readonly #live: Client;
  /** By their bare names, of the files so far: whether they do. */
  readonly #made = new Map<string, boolean>();
  readonly #asked = new Map<string, Promise<boolean>>();

  constructor(live: Client) {
    this.#live = live;
  }

  learn({ tag, fields, text }: Statement): void {
    const { funcname, is_procedure: procedure, options } = fields as Of<'CreateFunctionStmt'>;
    if (tag !== 'CreateFunctionStmt' || procedure !== true) return;
    const body = strings(option(options, 'as')?.arg)[0];
    this.#made.set(strings(funcname).at(-1) ?? '', body !== undefined && commits(text));
  }

  /** The name of the one that a statement calls. */
  async calledBy({ node }: Statement): Promise<string | undefined> {
    const name = strings(as(node, 'CallStmt')?.funccall?.funcname).at(-1);
    if (name === undefined) return undefined;
    const made = this.#made.get(name);
    if (made !== undefined) return made ? name : undefined;
    const asked = this.#asked.get(name) ?? this.#ofLive(name);
    this.#asked.set(name, asked);
    return (await asked) ? name : undefined;
  }

  async #ofLive(name: string): Promise<boolean> {
    const found = await rows<{ text: string }>(
      this.#live,
      "SELECT pg_catalog.pg_get_functiondef(oid) AS text FROM pg_catalog.pg_proc WHERE proname = $1 AND prokind = 'p'",
      [name],
    );
    return found.length > 0 && found.every(({ text }) => commits(text));
  }
}

function commits(definition: string): boolean {
  try {
    const [whole] = (parsePlPgSQLSync(definition) as unknown as { plpgsql_funcs: Fields[] }).plpgsql_funcs;
    return surely([inside(inside(whole, 'PLpgSQL_function'), 'action')]) === true;
  } catch {
    return false;
  }
}

function inside(value: unknown, key: string): Fields {
  return ((value as Fields | undefined)?.[key] ?? {}) as Fields;
}

/** Whether one of these steps ends a transaction before anything may leave them; undefined where none does. */
function surely(steps: readonly Fields[]): boolean | undefined {
  for (const step of steps) {
    const [kind = '', fields] = Object.entries(step)[0] ?? [];
    if (kind === 'PLpgSQL_stmt_commit' || kind === 'PLpgSQL_stmt_rollback') return true;
    const { body, exceptions } = fields as { readonly body?: readonly Fields[]; readonly exceptions?: unknown };
    // The first round of a plain loop always begins.
    const always = kind === 'PLpgSQL_stmt_loop' || (kind === 'PLpgSQL_stmt_block' && exceptions === undefined);
    const found = always ? surely(body ?? []) : undefined;
    if (found !== undefined) return found;
    if (/"PLpgSQL_stmt_(?:return|exit|raise)"/.test(JSON.stringify(step))) return false;
  }
  return undefined;
}
