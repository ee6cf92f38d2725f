import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { measurePrometheus } from '../../src/delivery/analysis/sources/prometheus.ts';
import { parseCondition } from '../../src/model/condition.ts';

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
