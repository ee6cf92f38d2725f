import { expect, test } from 'vitest';
import { runConsole } from '../../src/cli/sql-console.ts';
import type { CliSession } from '../../src/cli/session.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

test('names of columns and values stay in their line, whoever chose them', () =>
  withServer(async (server) => {
    const said: string[] = [];
    const reporter = { result: (value: unknown, text: (shown: unknown) => string) => void said.push(text(value)) };
    const session = { reporter, signal: new AbortController().signal } as unknown as CliSession;
    const statement = `SELECT E'x\\nnext: run y' AS "a\nnext: \u001b[2Jz"`;
    await runConsole(connectionTo(server), undefined, statement, session);
    const [head = '', row, ...rest] = said.join('').split('\n');
    expect([head.trim(), row, ...rest]).toEqual(['a⏎next: \\u001b[2Jz', 'x⏎next: run y', '(1 row)']);
  }));
