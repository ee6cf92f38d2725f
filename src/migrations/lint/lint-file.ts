import { all, tagOf, type Of, type Tag } from './ast.ts';
import type { LintConfig } from './config.ts';
import { AlterContext, LintContext } from './context.ts';
import type { Schema } from './facts.ts';
import type { LintFinding, SuppressedFinding } from './finding.ts';
import { learn } from './learn.ts';
import { isOn, makeFinding } from './make-finding.ts';
import { outsideTransaction } from '../outside-transaction.ts';
import type { ContractNote } from '../expand-contract/notes.ts';
import { applyNotes, contractNotes } from './notes.ts';
import { parseFile, type Parsed } from './parse.ts';
import { bodyOf, unpack } from './plpgsql.ts';
import type { Draft, Drafts, LintRule } from './rule.ts';
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
  for (const statement of withNested(parseFile(source))) learn(statement, schema);
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
  const statements = withNested(parsed);
  const found: LintFinding[] = [];
  const add = (rule: LintRule, drafts: Drafts, statement?: Statement) => {
    for (const draft of eachDraft(drafts))
      found.push(makeFinding(rule, draft, source, statement?.range ?? { start: 0, end: 0 }, config));
  };
  const own = contractNotes(source);
  for (const problem of [...encodingProblems(source), ...parsed.problems, ...own.faults]) {
    const rule = ruleOf(problem.rule);
    if (rule && isOn(rule, config)) add(rule, problem);
  }
  const transaction = new Transaction(startsOpen(source, statements, config));
  const shared = { config, schema, source, statements, transaction };
  for (const [index, statement] of statements.entries()) {
    const context = new LintContext({ ...shared, index });
    for (const [rule, drafts] of runChecks(dispatch, context)) add(rule, drafts, statement);
    track(context);
    learn(statement, schema);
  }
  if (statements.length > 0) {
    const end = new LintContext({ ...shared, index: statements.length - 1 });
    for (const rule of lintRules) if (rule.file && isOn(rule, config)) add(rule, rule.file(end), statements[0]);
  }
  // Comments of a statement come first: one that says the same as a note is not for nothing.
  const result = suppress(source, parsed, found, statements.length, config);
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

/** The file's statements, each DO block followed by those of its body, each with those of its WITH. */
function withNested(parsed: Parsed): Statement[] {
  return parsed.statements.flatMap((statement) => {
    if (statement.tag !== 'DoStmt') return [statement, ...writesOfWith(statement)];
    const body = bodyOf(statement, statement.fields as Of<'DoStmt'>);
    return body?.language === 'plpgsql' ? [statement, ...unpack(statement, body).statements] : [statement];
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
  return config.transaction === 'per-file' || !statements.some(({ node }) => outsideTransaction(node));
}

/** Rules by the statements that they look at: most statements concern few rules. */
export type Dispatch = ReadonlyMap<Tag, readonly LintRule[]>;

export function dispatchFor(config: LintConfig): Dispatch {
  const map = new Map<Tag, LintRule[]>();
  for (const rule of lintRules.filter((one) => isOn(one, config))) {
    for (const tag of Object.keys(rule.check ?? {}) as Tag[]) map.set(tag, [...(map.get(tag) ?? []), rule]);
  }
  return map;
}

function* runChecks(dispatch: Dispatch, context: LintContext): Generator<[LintRule, Drafts]> {
  const { tag, fields } = context.statement;
  for (const rule of dispatch.get(tag) ?? []) {
    const check = (rule.check as Partial<Record<Tag, (node: object, context: LintContext) => Drafts>>)[tag];
    yield [rule, check?.(fields, context)];
  }
  const node = fields as Of<'AlterTableStmt'>;
  if (tag !== 'AlterTableStmt' || node.objtype !== 'OBJECT_TABLE') return;
  const isNew = context.isNew(node.relation);
  const commands = all(node.cmds, 'AlterTableCmd').map((command, index) => ({
    command,
    context: new AlterContext(context, node, index),
  }));
  for (const rule of dispatch.get('AlterTableCmd') ?? []) {
    if (isNew && rule.newTables !== true) continue;
    for (const one of commands) yield [rule, rule.check?.AlterTableCmd?.(one.command, one.context)];
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
  config: LintConfig,
): FileResult {
  const parts = [...parsed.statements.map((one) => one.range), ...parsed.problems.map((one) => one.range)].toSorted(
    (a, b) => a.start - b.start,
  );
  const off = new Set(lintRules.filter((rule) => !isOn(rule, config)).map((rule) => rule.id));
  const settled = applySuppressions(found, suppressionsOf(source, parts), ruleIds, off);
  const faults = settled.faults.flatMap((fault) => {
    const rule = ruleOf(fault.rule);
    return rule && isOn(rule, config) ? [makeFinding(rule, fault, source, fault.range, config)] : [];
  });
  const findings = [...settled.kept, ...faults].toSorted((a, b) => a.start.byte - b.start.byte);
  return { findings, suppressed: settled.suppressed, statements };
}
