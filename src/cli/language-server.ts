import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CodeActionKind,
  createConnection,
  DiagnosticSeverity,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
  type CodeAction,
  type Diagnostic,
  type Range,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { describe } from '../model/errors.ts';
import type { LintFinding, Severity } from '../migrations/lint/finding.ts';
import { lintFiles } from '../migrations/lint/lint.ts';
import { facts } from '../migrations/lint/output/text.ts';
import { rulePage } from '../migrations/lint/page.ts';
import { ruleOf } from '../migrations/lint/rules/index.ts';
import { compareFiles, sqlFiles } from '../migrations/lint/walk.ts';
import { applyBaseline } from '../migrations/lint/workspace/baseline.ts';
import { configurationOf } from '../migrations/lint/workspace/configuration.ts';
import { surroundingsOf } from '../migrations/lint/workspace/find-settings.ts';

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** Milliseconds without a key pressed, before a text is linted. */
const quiet = 150;

/** Serves one editor over standard input and output, until it says exit. */
export function serveEditor(): void {
  const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
  const documents = new TextDocuments(TextDocument);
  const found = new Map<string, { readonly version: number; readonly findings: readonly LintFinding[] }>();
  const waiting = new Map<string, NodeJS.Timeout>();

  connection.onInitialize(() => ({
    serverInfo: { name: 'verdigris' },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
      hoverProvider: true,
    },
  }));
  documents.onDidChangeContent(({ document }) => {
    clearTimeout(waiting.get(document.uri));
    waiting.set(
      document.uri,
      setTimeout(() => void judge(document), quiet),
    );
  });
  documents.onDidClose(({ document }) => {
    clearTimeout(waiting.get(document.uri));
    found.delete(document.uri);
    void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
  });

  async function judge(document: TextDocument): Promise<void> {
    const { uri, version } = document;
    try {
      const findings = await findingsOf(document, documents.all());
      // While it was linted the editor may have sent a newer text, which is on its way.
      if (documents.get(uri)?.version !== version) return;
      found.set(uri, { version, findings });
      await connection.sendDiagnostics({ uri, version, diagnostics: findings.map((one) => diagnostic(document, one)) });
    } catch (error) {
      connection.window.showErrorMessage(`verdigris: ${describe(error)}`);
    }
  }

  /** Those of a text that has changed since are at other places. */
  function current(document: TextDocument | undefined): readonly LintFinding[] {
    const judged = document && found.get(document.uri);
    return judged?.version === document?.version ? (judged?.findings ?? []) : [];
  }

  connection.onCodeAction(({ textDocument: { uri }, range }): CodeAction[] => {
    const document = documents.get(uri);
    return current(document).flatMap((finding) =>
      document && finding.edit && overlap(rangeOf(document, finding), range) ? [action(document, finding)] : [],
    );
  });
  connection.onHover(({ textDocument: { uri }, position }) => {
    const document = documents.get(uri);
    const here = current(document).filter(
      (finding) => document && overlap(rangeOf(document, finding), { start: position, end: position }),
    );
    const pages = [...new Set(here.map(({ rule }) => rule))].flatMap((id) => ruleOf(id) ?? []).map(rulePage);
    return pages.length === 0 ? null : { contents: { kind: 'markdown', value: pages.join('\n---\n\n') } };
  });
  documents.listen(connection);
  connection.listen();
}

/** The document by what the files before it in its folder say; those after it do not matter to it. */
async function findingsOf(document: TextDocument, open: readonly TextDocument[]): Promise<readonly LintFinding[]> {
  const file = fileOf(document);
  const unsaved = new Map(open.map((one) => [fileOf(one), one.getText()]));
  const own = { path: file, text: document.getText(), applied: false };
  const folder = await folderOf(file);
  const around = folder === undefined ? [] : await sqlFiles([folder]);
  const within = (one: string) => path.relative(folder ?? '', one);
  const at = around.findIndex((one) => path.resolve(one.path) === file);
  // By its name: a text that was never saved is in no folder.
  const earlier = ({ path: one }: { readonly path: string }) => compareFiles(within(one), within(file)) < 0;
  const before = (at < 0 ? around.filter(earlier) : around.slice(0, at)).map((one) => ({
    ...one,
    text: unsaved.get(path.resolve(one.path)) ?? one.text,
    applied: true,
  }));
  const surroundings = folder === undefined ? {} : await surroundingsOf([file]);
  const report = await lintFiles([...before, own], await configurationOf(surroundings));
  const { baseline } = surroundings;
  return (baseline === undefined ? report : await applyBaseline(report, baseline)).findings;
}

function fileOf({ uri }: TextDocument): string {
  return uri.startsWith('file:') ? fileURLToPath(uri) : uri;
}

/** Of all migrations: where each has a folder of its own, the one above. */
async function folderOf(file: string): Promise<string | undefined> {
  const folder = path.dirname(file);
  if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true) return undefined;
  return /^(?:migration|up)\.sql$/.test(path.basename(file)) ? path.dirname(folder) : folder;
}

/** The editor counts UTF-16 units. */
function at(document: TextDocument, byte: number): Range['start'] {
  return document.positionAt(Buffer.from(document.getText()).subarray(0, byte).toString().length);
}

function rangeOf(
  document: TextDocument,
  { start, end }: { readonly start: { byte: number }; readonly end: { byte: number } },
): Range {
  return { start: at(document, start.byte), end: at(document, end.byte) };
}

function diagnostic(document: TextDocument, finding: LintFinding): Diagnostic {
  const { rule, severity, message, fix } = finding;
  return {
    range: rangeOf(document, finding),
    severity: severities[severity],
    code: rule,
    source: 'verdigris',
    message: [message, facts(finding).join('; '), ...(fix === undefined ? [] : [`Instead:\n${fix}`])].join('\n'),
  };
}

function action(document: TextDocument, finding: LintFinding): CodeAction {
  const { start = 0, end = 0, text = '', does = '' } = finding.edit ?? {};
  return {
    title: `${finding.rule}: ${does}`,
    kind: CodeActionKind.QuickFix,
    diagnostics: [diagnostic(document, finding)],
    edit: {
      changes: {
        [document.uri]: [{ range: rangeOf(document, { start: { byte: start }, end: { byte: end } }), newText: text }],
      },
    },
  };
}

function overlap(one: Range, other: Range): boolean {
  return before(one.start, other.end) && before(other.start, one.end);
}

function before(one: Range['start'], other: Range['start']): boolean {
  return one.line < other.line || (one.line === other.line && one.character <= other.character);
}
