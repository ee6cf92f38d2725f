import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { Colours } from '../../../src/delivery/analysis/colours.ts';
import { measureCommand } from '../../../src/delivery/analysis/sources/command.ts';
import { measureHttp } from '../../../src/delivery/analysis/sources/http.ts';
import { measurePrometheus } from '../../../src/delivery/analysis/sources/prometheus.ts';
import { measureSql } from '../../../src/delivery/analysis/sources/sql.ts';
import { parseCondition } from '../../../src/model/condition.ts';
import { withDatabase } from '../../support/postgres.ts';

test('a query that gives nothing, NaN, infinity, two series, no JSON or no answer is inconclusive, and never a success', async () => {
  const series = (...values: string[]): string =>
    JSON.stringify({
      status: 'success',
      data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) },
    });
  const answers: Readonly<Record<string, string | undefined>> = {
    one: series('0.001'),
    bad: series('0.5'),
    nothing: series(),
    nan: series('NaN'),
    infinite: series('+Inf'),
    two: series('0', '0'),
    refused: '{"status":"error","error":"parse error"}',
    page: '<html>',
    hangs: undefined,
  };
  const server = createServer((request, response) => {
    const body = answers[new URL(request.url ?? '/', 'http://here').searchParams.get('query') ?? ''];
    if (body !== undefined) response.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const conditions = { success: parseCondition('< 0.01'), failure: parseCondition('>= 0.03') };
  try {
    const verdicts: Record<string, string> = {};
    for (const query of Object.keys(answers))
      verdicts[query] = (await measurePrometheus({ url, query }, conditions, AbortSignal.timeout(1_000))).verdict;
    expect(verdicts).toEqual({
      ...Object.fromEntries(Object.keys(answers).map((query) => [query, 'inconclusive'])),
      one: 'success',
      bad: 'failure',
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a statement that gives no row, two, two columns, null, NaN or text is inconclusive; a number and a boolean are judged', async () => {
  await withDatabase(async (client) => {
    const colours = {
      ...{ candidate: 'green', former: 'blue' },
      read: <T>(_: string, use: (of: typeof client) => Promise<T>) => use(client),
    } as unknown as Colours;
    const success = { success: parseCondition('= 1') };
    const judged = async (query: string) => (await measureSql({ on: 'candidate', query }, success, colours)).verdict;
    const verdicts: Record<string, string> = {};
    for (const query of [
      'SELECT 1 WHERE false',
      'VALUES (1), (1)',
      'SELECT 1, 1',
      'SELECT NULL',
      "SELECT 'NaN'::float8",
    ])
      verdicts[query] = await judged(query);
    for (const query of ["SELECT 'one'", "SELECT ''", "SELECT '1 day'::interval", "SELECT 'Infinity'::float8"])
      verdicts[query] = await judged(query);
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['inconclusive']));
    for (const query of ['SELECT 1', 'SELECT count(*) FROM (VALUES (1)) AS one', 'SELECT 1.0', 'SELECT true'])
      expect(await judged(query), query).toBe('success');
    for (const query of ['SELECT 2', 'SELECT false']) expect(await judged(query), query).toBe('failure');
  });
});

test('a probe is judged by its status and a command by its exit code; no answer, and no program, are inconclusive', async () => {
  const server = createServer((request, response) => {
    const status = Number((request.url ?? '').slice(1));
    if (status !== 0) response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const probe = async (url: string) => (await measureHttp({ url }, {}, AbortSignal.timeout(1_000))).verdict;
    for (const [status, verdict] of [
      ['204', 'success'],
      ['302', 'failure'],
      ['500', 'failure'],
      ['0', 'inconclusive'],
    ] as const)
      expect(await probe(`${at}/${status}`), status).toBe(verdict);
    expect(await probe('http://127.0.0.1:1/')).toBe('inconclusive');
  } finally {
    server.closeAllConnections();
    server.close();
  }
  const run = async (...command: string[]) =>
    (await measureCommand(command, {}, AbortSignal.timeout(2_000), {})).verdict;
  expect(await run('true')).toBe('success');
  expect(await run('false')).toBe('failure');
  expect(await run('sleep', '60')).toBe('inconclusive');
  expect(await run('/nowhere/smoke')).toBe('inconclusive');
});
