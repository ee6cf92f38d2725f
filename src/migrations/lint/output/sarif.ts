import { relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pointer } from '../../../model/pointer.ts';
import type { LintFinding, LintReport, Severity } from '../finding.ts';
import type { LintRule } from '../rule.ts';
import { lintRules } from '../rules/index.ts';
import { facts } from './text.ts';

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

/**
 * SARIF 2.1.0 (OASIS), as code scanning of GitHub and others reads it. Columns are code points; see artifactUri for
 * paths.
 */
export function sarifReport(report: LintReport): string {
  const used = lintRules.filter((rule) =>
    [...report.findings, ...report.suppressed.map((one) => one.finding)].some((finding) => finding.rule === rule.id),
  );
  const results = [
    ...report.findings.map((finding) => result(finding, used)),
    ...report.suppressed.map(({ finding, reason }) => ({
      ...result(finding, used),
      suppressions: [{ kind: 'inSource', justification: reason }],
    })),
  ];
  return JSON.stringify(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'verdigris-lint', rules: used.map(descriptor) } },
          columnKind: 'unicodeCodePoints',
          results,
        },
      ],
    },
    null,
    2,
  );
}

function descriptor(rule: LintRule): object {
  return {
    id: rule.id,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.why },
    help: { text: `${rule.instead}\n${pointer(rule.id)}` },
    defaultConfiguration: { level: levels[rule.severity] },
    properties: { category: rule.category, where: rule.where },
  };
}

function result(finding: LintFinding, used: readonly LintRule[]): object {
  const { start, end } = finding;
  return {
    ruleId: finding.rule,
    ruleIndex: used.findIndex((rule) => rule.id === finding.rule),
    level: levels[finding.severity],
    message: {
      text: [
        finding.message,
        ...facts(finding),
        ...(finding.fix === undefined ? [] : [`Instead:\n${finding.fix}`]),
      ].join('\n'),
    },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: artifactUri(finding.path) },
          region: {
            startLine: start.line,
            startColumn: start.column,
            endLine: end.line,
            endColumn: end.column,
            byteOffset: start.byte,
            byteLength: end.byte - start.byte,
            snippet: { text: finding.excerpt },
          },
        },
      },
    ],
    properties: {
      lock: finding.lock,
      rewrites: finding.rewrites,
      breaksRollback: finding.breaksRollback,
      where: finding.where,
    },
  };
}

/** Relative to the working folder where the file is in it: an alert is placed by the path in the repository. */
function artifactUri(path: string): string {
  const here = relative('.', path).replaceAll(sep, '/');
  if (here === '..' || here.startsWith('../')) return pathToFileURL(path).href;
  return here.split('/').map(encodeURIComponent).join('/');
}
