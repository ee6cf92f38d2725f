import type { RangeVar } from 'libpg-query';
import { relationName, nameOfParts, strings, type Name, type Of } from './ast.ts';
import type { LintConfig } from './config.ts';
import type { Schema, TableFact } from './facts.ts';
import type { Range } from './range.ts';
import type { Source } from './source.ts';
import type { Statement } from './statement.ts';
import { commandRanges } from './tokens.ts';
import type { Transaction } from './transaction.ts';

/** What a check may ask: the statement at hand, what came before it, and what is known of the schema. */
export class LintContext {
  readonly config: LintConfig;
  readonly schema: Schema;
  readonly source: Source;
  /** Of the file, statements inside DO blocks among them, in order. */
  readonly statements: readonly Statement[];
  readonly index: number;
  readonly transaction: Transaction;

  constructor(from: Pick<LintContext, 'config' | 'schema' | 'source' | 'statements' | 'index' | 'transaction'>) {
    this.config = from.config;
    this.schema = from.schema;
    this.source = from.source;
    this.statements = from.statements;
    this.index = from.index;
    this.transaction = from.transaction;
  }

  get statement(): Statement {
    return this.statements[this.index] as Statement;
  }

  get before(): readonly Statement[] {
    return this.statements.slice(0, this.index);
  }

  get after(): readonly Statement[] {
    return this.statements.slice(this.index + 1);
  }

  name(relation: RangeVar | undefined): Name {
    return relationName(relation, this.schema.defaultSchema);
  }

  nameOf(parts: Parameters<typeof strings>[0]): Name {
    return nameOfParts(strings(parts), this.schema.defaultSchema);
  }

  fact(relation: RangeVar | undefined): TableFact | undefined {
    return this.schema.table(this.name(relation));
  }

  /** Made by the batch at hand: empty, and nobody else uses it. */
  isNew(relation: RangeVar | undefined): boolean {
    return this.schema.isNew(this.name(relation));
  }

  at(location: number | undefined): Range {
    return this.statement.at(location);
  }
}

/** The same for one command of an ALTER TABLE. */
export class AlterContext extends LintContext {
  readonly table: Name;
  readonly known: TableFact | undefined;
  /** All commands of the statement. */
  readonly commands: readonly Of<'AlterTableCmd'>[];
  readonly #nameAt: number;
  readonly #index: number;
  #command: Range | undefined;

  constructor(
    context: LintContext,
    node: Of<'AlterTableStmt'>,
    commands: readonly Of<'AlterTableCmd'>[],
    index: number,
  ) {
    super(context);
    this.table = context.name(node.relation);
    this.known = context.fact(node.relation);
    this.commands = commands;
    this.#nameAt = context.statement.base + (node.relation?.location ?? 0);
    this.#index = index;
  }

  /** Where the command is. Found when asked for: most commands have no finding. */
  get command(): Range {
    this.#command ??=
      commandRanges(this.statement.tokens, this.#nameAt, this.commands.length)?.[this.#index] ?? this.statement.range;
    return this.#command;
  }

  /** The command's own words: `ADD CONSTRAINT c CHECK (x > 0)`. */
  get words(): string {
    return this.source.slice(this.command.start, this.command.end);
  }
}
