import type { Node } from 'libpg-query';
import { all, as, constant, strings, walk, type Of } from '../lint/ast.ts';
import { fileSetting } from './file-settings.ts';
import { readRowsMade, type NamedRelation } from './read.ts';

interface Made {
  /** What its value is made of. */
  readonly reads: readonly NamedRelation[];
  readonly local: boolean;
}

/**
 * Settings whose value a file makes when it runs (`set_config('app.most', (SELECT max(id) …)::text, false)`): at the
 * switchover they are gone, and what they were made of has changed. Of constants a held statement takes its own along.
 */
export class MadeSettings {
  readonly #made = new Map<string, Made>();

  /** What of them a statement reads, as far as its text names them. */
  needed(node: Node): { readonly what: string; readonly reads: readonly NamedRelation[] } | undefined {
    if (this.#made.size === 0) return undefined;
    const code = codeOf(node).toLowerCase();
    const asked = calls(node, 'current_setting').map(({ args }) => constant(args?.[0])?.toLowerCase());
    const found = [...this.#made].find(([name]) => asked.includes(name) || code.includes(`'${name}'`));
    return found && { what: `the setting ${found[0]}, which the file makes when it runs`, reads: found[1].reads };
  }

  /** `reads`: what a statement reads, where that is known. */
  learn(node: Node, reads: readonly NamedRelation[] | undefined): void {
    const constantly = fileSetting(node, '');
    if (constantly) this.#made.delete(constantly.name);
    else
      for (const { args } of calls(node, 'set_config')) {
        const name = constant(args?.[0])?.toLowerCase();
        const local = all(args?.slice(2), 'A_Const')[0]?.boolval?.boolval === true;
        if (name !== undefined) this.#made.set(name, { reads: reads ?? readRowsMade(node)?.reads ?? [], local });
      }
    for (const [, name = '', local] of codeOf(node).matchAll(inCode))
      this.#made.set(name.toLowerCase(), { reads: reads ?? [], local: local !== undefined });
  }

  commit(): void {
    for (const [name, { local }] of this.#made) if (local) this.#made.delete(name);
  }
}

/** In a block a value may be made of variables, which hold anything. */
const inCode = /\bset_config\s*\(\s*'([^']+)'\s*,[^;]*?(?:,\s*(true)\s*)?\)\s*(?=;|$)/gi;

function calls(node: Node, name: string): Of<'FuncCall'>[] {
  return [...walk([node])].flatMap(([tag, fields]) => {
    const call = fields as Of<'FuncCall'>;
    return tag === 'FuncCall' && strings(call.funcname).at(-1) === name ? [call] : [];
  });
}

function codeOf(node: Node): string {
  return JSON.stringify(as(node, 'DoStmt')?.args ?? '').replaceAll('\\n', '\n');
}
