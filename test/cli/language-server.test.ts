import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import {
  CodeActionRequest,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializeRequest,
  PublishDiagnosticsNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type CodeAction,
  type PublishDiagnosticsParams,
} from 'vscode-languageserver-protocol/node';

const cli = path.join(import.meta.dirname, '../../src/cli/verdigris.js');

test('an editor gets diagnostics by what earlier files say, a quick fix that takes one away, and the page of a rule', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'vg-lsp-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(path.join(folder, '1.sql'), 'CREATE TABLE "ü😀" (id bigint PRIMARY KEY, x text);');
  await writeFile(path.join(folder, '3.sql'), 'DROP TABLE "ü😀";');
  const server = spawn(process.execPath, [cli, 'lint', '--lsp'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill());
  const client = createProtocolConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  const waiting: ((params: PublishDiagnosticsParams) => void)[] = [];
  client.onNotification(PublishDiagnosticsNotification.type, (params) => waiting.shift()?.(params));
  const diagnostics = () => new Promise<PublishDiagnosticsParams>((resolve) => waiting.push(resolve));
  client.listen();
  const { capabilities } = await client.sendRequest(InitializeRequest.type, {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  expect(capabilities).toMatchObject({ hoverProvider: true, codeActionProvider: { codeActionKinds: ['quickfix'] } });

  const uri = pathToFileURL(path.join(folder, '2.sql')).href;
  const text = '/* 😀 */ CREATE INDEX x_idx ON "ü😀" (x);';
  const opened = diagnostics();
  await client.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: { uri, languageId: 'sql', version: 1, text },
  });
  const { diagnostics: found } = await opened;
  expect(found.map(({ code, severity, range }) => ({ code, severity, range }))).toEqual([
    {
      code: 'create-index-blocking',
      severity: 2,
      range: { start: { line: 0, character: 9 }, end: { line: 0, character: text.length - 1 } },
    },
  ]);

  const place = { line: 0, character: 12 };
  const hover = await client.sendRequest(HoverRequest.type, { textDocument: { uri }, position: place });
  expect(JSON.stringify(hover)).toContain('# create-index-blocking: ');
  const actions = await client.sendRequest(CodeActionRequest.type, {
    textDocument: { uri },
    range: { start: place, end: place },
    context: { diagnostics: found },
  });
  const [edit] = (actions?.[0] as CodeAction | undefined)?.edit?.changes?.[uri] ?? [];
  expect(edit).toEqual({
    range: { start: { line: 0, character: 21 }, end: { line: 0, character: 21 } },
    newText: ' CONCURRENTLY',
  });

  const changed = diagnostics();
  await client.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 2 },
    contentChanges: [{ range: edit?.range ?? { start: place, end: place }, text: edit?.newText ?? '' }],
  });
  expect((await changed).diagnostics).toEqual([]);

  // The table is known by a text that was never saved; and a fix of the text before is not offered for this one.
  const earlier = diagnostics();
  await client.sendNotification(DidOpenTextDocumentNotification.type, {
    textDocument: {
      uri: pathToFileURL(path.join(folder, '1.sql')).href,
      languageId: 'sql',
      version: 1,
      text: 'CREATE TABLE z (id bigint PRIMARY KEY, x text);',
    },
  });
  await earlier;
  const again = diagnostics();
  await client.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: 3 },
    contentChanges: [{ text: 'CREATE INDEX z_x ON z (x);' }],
  });
  const fixes = () =>
    client.sendRequest(CodeActionRequest.type, {
      textDocument: { uri },
      range: { start: place, end: place },
      context: { diagnostics: [] },
    });
  expect(await fixes()).toEqual([]);
  await again;
  expect(await fixes()).toHaveLength(1);

  await client.sendRequest(ShutdownRequest.type);
  const ended = once(server, 'exit');
  await client.sendNotification(ExitNotification.type);
  expect((await ended)[0]).toBe(0);
});
