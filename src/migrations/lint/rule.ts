import type { ShapeVerdict } from '../../model/shape-changes.ts';
import type { Of, Tag } from './ast.ts';
import type { AlterContext, LintContext } from './context.ts';
import type { Category, Edit, Severity, Where, Work } from './finding.ts';
import type { LockMode } from './locks.ts';
import type { Name } from './ast.ts';
import type { Range } from './range.ts';

/** What a check says about one place of a statement; what it leaves out comes from the rule. */
export interface Draft {
  readonly message: string;
  /** Bytes of the file; the whole statement where left out. */
  readonly range?: Range;
  readonly fix?: string;
  /** The same as a change of the text, where it is mechanical: `--fix` makes it if it proves itself. */
  readonly edit?: Edit | undefined;
  /** `none` where the rule's own lock is not taken this time. */
  readonly lock?: LockMode | 'none';
  readonly table?: Name;
  readonly work?: Work;
  readonly where?: Where;
  readonly severity?: Severity;
  readonly breaksRollback?: boolean;
  /** Where this change does less than what the table of shape changes says of the rule's gravest. */
  readonly verdict?: ShapeVerdict;
  /** What the live release loses, as `migrate` prints it: a contract note may name it. */
  readonly object?: string;
}

export type Drafts = Iterable<Draft> | Draft | undefined;

/**
 * Checks by the kind of statement; AlterTableCmd is called once for each command of an ALTER TABLE on an existing
 * table.
 */
export type Checks = {
  readonly [T in Exclude<Tag, 'AlterTableCmd'>]?: (node: Of<T>, context: LintContext) => Drafts;
} & {
  readonly AlterTableCmd?: (command: Of<'AlterTableCmd'>, context: AlterContext) => Drafts;
};

export interface LintRule {
  /** Kebab-case, for life: configurations and suppressions name it. */
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly category: Category;
  readonly where: Where;
  /** Why it hurts, for a person who meets it the first time. */
  readonly why: string;
  /** What to do instead. */
  readonly instead: string;
  /** SQL that the rule finds, and SQL that it does not. Tests hold both; the pages show them. `t` has rows already. */
  readonly bad: string;
  readonly good: string;
  /**
   * False where `good` is what the rule lets pass, but no way to get what `bad` was written for: the page does not show
   * it.
   */
  readonly remedy?: false;
  readonly lock?: LockMode;
  readonly work?: Work;
  readonly breaksRollback?: boolean;
  /** ALTER TABLE commands on tables of the same batch are checked too. */
  readonly newTables?: boolean;
  /** Of statements that no file may hold, also where a ROLLBACK TO takes them back. */
  readonly forbidden?: true;
  /** Only where the configuration asks for it. */
  readonly off?: boolean;
  readonly check?: Checks;
  /** Runs at each file's end, for what only the whole file shows. */
  readonly file?: (context: LintContext) => Drafts;
}
