import type { Node } from 'libpg-query';
import { fieldsOf, tagOf, type Tag } from './ast.ts';
import type { Range } from './range.ts';
import type { Source } from './source.ts';
import { tokenAt, tokensOf, type Token } from './tokens.ts';

/** One statement of a migration, or of a DO block in it. */
export class Statement {
  readonly source: Source;
  readonly node: Node;
  readonly tag: Tag;
  readonly fields: object;
  /** Bytes of the file, from the first key word to the last before the semicolon. */
  readonly range: Range;
  /** What the parser's locations are relative to, in bytes of the file. */
  readonly base: number;
  /** Inside a DO block: it runs, but cannot be split from it. */
  readonly nested: boolean;
  /** What a DO block executes is a text of its own: nothing in it has a place in the file. */
  readonly executed: boolean;
  #tokens: readonly Token[] | undefined;
  #text: string | undefined;

  constructor(source: Source, node: Node, range: Range, base = 0, nested = false, executed?: string) {
    this.source = source;
    this.node = node;
    this.tag = tagOf(node);
    this.fields = fieldsOf(node);
    this.range = range;
    this.base = base;
    this.nested = nested;
    this.executed = executed !== undefined;
    this.#text = executed;
  }

  get text(): string {
    this.#text ??= this.source.slice(this.range.start, this.range.end);
    return this.#text;
  }

  /** With positions in bytes of the file. Scanned once, when first asked for: few statements have findings. */
  get tokens(): readonly Token[] {
    this.#tokens ??= this.executed ? [] : tokensOf(this.text, this.range.start);
    return this.#tokens;
  }

  /**
   * The token that begins at a location of the parse tree, as a range for a finding; the statement where there is none.
   */
  at(location: number | undefined): Range {
    if (location === undefined || location < 0) return this.range;
    const byte = this.base + location;
    const token = tokenAt(this.tokens, byte);
    return token ? { start: token.start, end: token.end } : this.range;
  }
}
