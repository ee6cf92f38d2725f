import { createInterface } from 'node:readline/promises';
import { text as wholeText } from 'node:stream/consumers';
import pg from 'pg';
import { count } from '../model/count.ts';
import { describe } from '../model/errors.ts';
import { harmless } from '../model/harmless.ts';
import type { Client } from '../postgres/client.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { withClient } from '../postgres/session.ts';
import { ident } from '../postgres/quote.ts';
import { createScanner } from '../postgres/script/scanner.ts';
import { atTerminal } from './ask.ts';
import type { CliSession } from './session.ts';
import { table } from './table.ts';

interface Answer {
  readonly command: string;
  readonly columns: readonly string[];
  /** As the server writes values; null is NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
}

const help = 'SQL up to a semicolon; \\dt lists tables, \\q or Ctrl-D ends.';

/** By a session that has the names of the database's other clients: nothing of theirs is found in it. */
const tables = `SELECT schemaname AS schema, relname AS table, n_live_tup AS rows FROM pg_catalog.pg_stat_user_tables
  WHERE schemaname OPERATOR(pg_catalog.<>) 'verdigris' ORDER BY 1, 2`;

/**
 * What psql is used for where there is none: statements from `command`, the standard input or a person, and their rows.
 */
export async function runConsole(
  connection: ConnectionSettings,
  role: string | undefined,
  command: string | undefined,
  { reporter, signal }: CliSession,
): Promise<void> {
  await withClient(connection, 'psql', async (client) => {
    if (role !== undefined) await client.query(`SET ROLE ${ident(role)}`);
    if (command !== undefined || !atTerminal()) {
      const answers = await run(client, command ?? (await wholeText(process.stdin)));
      reporter.result({ results: answers }, () => answers.map(answerText).join('\n\n'));
      return;
    }
    reporter.say(help);
    await converse(client, `${connection.database}=# `, (answer) => reporter.say(answer), signal);
  });
}

async function converse(
  client: Client,
  prompt: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const asking = createInterface({ input: process.stdin, output: process.stdout, prompt });
  let pending = '';
  asking.on('SIGINT', () => {
    pending = '';
    say('');
    asking.prompt();
  });
  signal.addEventListener('abort', () => asking.close(), { once: true });
  asking.prompt();
  for await (const line of asking) {
    if (pending === '' && line.trim() === '\\q') break;
    pending += `${line}\n`;
    const statement = line.trim() === '\\dt' ? tables : pending;
    if (statement === tables || isWhole(pending)) {
      pending = '';
      say(
        await run(client, statement).then(
          (answers) => answers.map(answerText).join('\n\n'),
          (error: unknown) => `ERROR: ${describe(error)}`,
        ),
      );
    }
    asking.prompt();
  }
  asking.close();
}

/** Whether nothing is open and nothing but space follows the last semicolon. */
function isWhole(text: string): boolean {
  const scanner = createScanner();
  const bytes = Buffer.from(text).toString('latin1');
  let at = 0;
  let ended = false;
  for (;;) {
    const stop = scanner.scan(bytes, at);
    if (stop.kind === 'end') return (ended && scanner.begun < 0) || bytes.trim() === '';
    ended = stop.kind === 'semicolon';
    scanner.reset();
    at = stop.at + 1;
  }
}

async function run(client: Client, text: string): Promise<Answer[]> {
  const results = (await client.query({
    text,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  } as pg.QueryArrayConfig)) as pg.QueryArrayResult | pg.QueryArrayResult[];
  return [results].flat().map(({ command, rowCount, fields, rows }) => ({
    command: fields.length > 0 ? count(rows.length, 'row') : [command, rowCount ?? []].flat().join(' '),
    columns: fields.map(({ name }) => name),
    rows: rows as (string | null)[][],
  }));
}

function answerText({ command, columns, rows }: Answer): string {
  if (columns.length === 0) return command;
  const cells = rows.map((row) => row.map((value) => cell(value ?? 'NULL')));
  return `${table(columns.map(cell), cells)}\n(${command})`;
}

/** In one line: the name of a column is somebody else's as its values are. */
function cell(text: string): string {
  return harmless(text).replaceAll('\n', '⏎');
}
