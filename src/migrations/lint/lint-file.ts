import { all, tagOf, type Of, type Tag } from './ast.ts';
import type { LintConfig } from './config.ts';
import { AlterContext, LintContext } from './context.ts';
import type { Schema } from './facts.ts';
import type { LintFinding, SuppressedFinding } from './finding.ts';
import { learn } from './learn.ts';
import { isOn, makeFinding } from './make-finding.ts';
import { undoneStatements } from '../savepoints.ts';
import { outsideTransaction } from '../outside-transaction.ts';
import { ownTransactions } from '../own-transactions.ts';
import type { ContractNote } from '../expand-contract/notes.ts';
import { applyNotes, contractNotes, placeFaults } from './notes.ts';
import { parseFile, type Parsed } from './parse.ts';
import { bodyOf, unpack } from './plpgsql.ts';
import type { Checks, Draft, Drafts, LintRule } from './rule.ts';
import { ruleIds, ruleOf, lintRules } from './rules/index.ts';
import { Source } from './source.ts';
import { Statement } from './statement.ts';
import { applySuppressions, suppressionsOf } from './suppress.ts';
import { track } from './track.ts';
import { Transaction } from './transaction.ts';

export interface FileResult {
  readonly findings: readonly LintFinding[];
  readonly suppressed: readonly SuppressedFinding[];
  readonly statements: number;
}

/** Takes a file into the schema without judging it. */
export function readFile(source: Source, schema: Schema): void {
  for (const statement of withNested(parted(parseFile(source)).stay)) learn(statement, schema);
}

/** Those of a file that have an effect, as they are written. */
export function statementsThatStay(source: Source): readonly Statement[] {
  return parted(parseFile(source)).stay;
}

/** What a later ROLLBACK TO of the file takes back changes nothing, and what is behind it does not find it. */
function parted({ statements }: Parsed): {
  readonly stay: readonly Statement[];
  readonly undone: readonly Statement[];
} {
  const gone = undoneStatements(statements.map(({ node }) => node));
  if (gone.size === 0) return { stay: statements, undone: [] };
  return {
    stay: statements.filter((_, at) => !gone.has(at)),
    undone: statements.filter((_, at) => gone.has(at)),
  };
}

/** The release that a file is part of: all that is the same for its files. */
export interface LintedRelease {
  readonly config: LintConfig;
  readonly dispatch: Dispatch;
  /** Of the other files of the release. */
  readonly notes: readonly ContractNote[];
}

export function lintFile(source: Source, schema: Schema, { config, dispatch, notes }: LintedRelease): FileResult {
  const parsed = parseFile(source);
  const { stay, undone } = parted(parsed);
  const statements = withNested(stay);
  const found: LintFinding[] = [];
  const add = (rule: LintRule, drafts: Drafts, statement?: Statement) => {
    for (const draft of eachDraft(drafts)) {
      // What is written instead of a text that is executed, its own quoting would change.
      const { fix: _fix, edit: _edit, ...bare } = draft;
      const shown = statement?.executed ? bare : draft;
      found.push(makeFinding(rule, shown, source, statement?.range ?? { start: 0, end: 0 }, config));
    }
  };
  const own = contractNotes(source);
  const misplaced = placeFaults(source, parsed.statements);
  for (const problem of [...encodingProblems(source), ...parsed.problems, ...own.faults, ...misplaced]) {
    const rule = ruleOf(problem.rule);
    if (rule && isOn(rule, config)) add(rule, problem);
  }
  const transaction = new Transaction(startsOpen(source, statements, config));
  const shared = { config, schema, source, statements, transaction };
  for (const [index, statement] of statements.entries()) {
    const context = new LintContext({ ...shared, index });
    runChecks(dispatch, context, add);
    track(context);
    learn(statement, schema);
  }
  const gone = withNested(undone);
  for (const index of gone.keys())
    runChecks(dispatch.forbidden, new LintContext({ ...shared, statements: gone, index }), add);
  if (statements.length > 0) {
    const end = new LintContext({ ...shared, index: statements.length - 1 });
    for (const rule of dispatch.files) add(rule, rule.file?.(end), statements[0]);
  }
  // Comments of a statement come first: one that says the same as a note is not for nothing.
  const result = suppress(source, parsed, found, statements.length, { config, dispatch });
  const { kept, allowed } = applyNotes(result.findings, [...own.notes, ...notes]);
  return { ...result, findings: kept, suppressed: [...result.suppressed, ...allowed] };
}

function encodingProblems({ problem }: Source) {
  return problem
    ? [
        {
          rule: 'encoding',
          message: problem.message,
          range: { start: problem.byte, end: problem.byte + 1 },
          ...(problem.read ? { severity: 'warning' as const } : {}),
        },
      ]
    : [];
}

/** The file's statements, each DO block (one in a block too) followed by those of its body, each with those of its WITH. */
function withNested(statements: readonly Statement[]): Statement[] {
  return statements.flatMap((statement) => {
    if (statement.tag !== 'DoStmt') return [statement, ...writesOfWith(statement)];
    const body = bodyOf(statement, statement.fields as Of<'DoStmt'>);
    return body?.language === 'plpgsql' ? [statement, ...withNested(unpack(statement, body).statements)] : [statement];
  });
}

const writes: ReadonlySet<Tag> = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

/** `WITH gone AS (DELETE …) SELECT …` deletes as DELETE does. */
function writesOfWith({ source, fields, range, base }: Statement): Statement[] {
  const { withClause } = fields as Of<'SelectStmt'>;
  return all(withClause?.ctes, 'CommonTableExpr').flatMap(({ ctequery }) =>
    ctequery && writes.has(tagOf(ctequery)) ? [new Statement(source, ctequery, range, base, true)] : [],
  );
}

function startsOpen(source: Source, statements: readonly Statement[], config: LintConfig): boolean {
  if (config.transaction === 'none' || source.noTransaction) return false;
  if (config.transaction === 'per-file') return true;
  const nodes = statements.filter(({ nested }) => !nested).map(({ node }) => node);
  const own = ownTransactions(nodes);
  const apart = 'of' in own && own.count > 0 && !own.whole;
  return !apart && !nodes.some(outsideTransaction);
}

type Check = readonly [LintRule, (node: object, context: LintContext) => Drafts];

interface StatementChecks {
  readonly checks: ReadonlyMap<Tag, readonly Check[]>;
  readonly commands: readonly (readonly [LintRule, NonNullable<Checks['AlterTableCmd']>])[];
}

/** The rules that are on, by what they look at: most statements concern few of them. */
export interface Dispatch extends StatementChecks {
  /** Of what the runner takes in no file, whatever becomes of it. */
  readonly forbidden: StatementChecks;
  readonly files: readonly LintRule[];
  readonly off: ReadonlySet<string>;
}

export function dispatchFor(config: LintConfig): Dispatch {
  const on = lintRules.filter((rule) => isOn(rule, config));
  return {
    ...checksOf(on),
    forbidden: checksOf(on.filter(({ forbidden }) => forbidden)),
    files: on.filter(({ file }) => file),
    off: new Set(lintRules.filter((rule) => !on.includes(rule)).map(({ id }) => id)),
  };
}

function checksOf(rules: readonly LintRule[]): StatementChecks {
  const checks = new Map<Tag, Check[]>();
  for (const rule of rules) {
    for (const [tag, check] of Object.entries(rule.check ?? {}) as [Tag, Check[1]][])
      checks.set(tag, [...(checks.get(tag) ?? []), [rule, check]]);
  }
  const commands = rules.flatMap((rule) =>
    rule.check?.AlterTableCmd ? [[rule, rule.check.AlterTableCmd] as const] : [],
  );
  return { checks, commands };
}

function runChecks(
  { checks, commands }: StatementChecks,
  context: LintContext,
  add: (rule: LintRule, drafts: Drafts, statement: Statement) => void,
): void {
  const { statement } = context;
  for (const [rule, check] of checks.get(statement.tag) ?? []) add(rule, check(statement.fields, context), statement);
  const node = statement.fields as Of<'AlterTableStmt'>;
  if (statement.tag !== 'AlterTableStmt' || node.objtype !== 'OBJECT_TABLE') return;
  const isNew = context.isNew(node.relation);
  const each = all(node.cmds, 'AlterTableCmd');
  const contexts = each.map((_, index) => new AlterContext(context, node, each, index));
  for (const [rule, check] of commands) {
    if (isNew && rule.newTables !== true) continue;
    for (const [index, one] of contexts.entries())
      add(rule, check(each[index] as (typeof each)[number], one), statement);
  }
}

function eachDraft(drafts: Drafts): Iterable<Draft> {
  if (drafts === undefined) return [];
  return 'message' in drafts ? [drafts] : drafts;
}

function suppress(
  source: Source,
  parsed: Parsed,
  found: readonly LintFinding[],
  statements: number,
  { config, dispatch }: Pick<LintedRelease, 'config' | 'dispatch'>,
): FileResult {
  const parts = [...parsed.statements.map((one) => one.range), ...parsed.problems.map((one) => one.range)].toSorted(
    (a, b) => a.start - b.start,
  );
  const settled = applySuppressions(found, suppressionsOf(source, parts), ruleIds, dispatch.off);
  const faults = settled.faults.flatMap((fault) => {
    const rule = ruleOf(fault.rule);
    return rule && isOn(rule, config) ? [makeFinding(rule, fault, source, fault.range, config)] : [];
  });
  const findings = [...settled.kept, ...faults].toSorted((a, b) => a.start.byte - b.start.byte);
  return { findings, suppressed: settled.suppressed, statements };
}
