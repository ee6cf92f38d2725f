import { z } from 'zod';
import { describe } from '../../../model/errors.ts';
import type { Metric } from '../../../model/delivery-metrics.ts';
import { inconclusive, judgeValue, type Conditions, type Measurement } from '../measurement.ts';

/** The value of a sample is text, so that NaN and infinity can be said. */
const sample = z.tuple([z.number(), z.string()]);
const answer = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
      z.object({ resultType: z.literal('scalar'), result: sample }),
    ]),
  }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);

/**
 * An instant query of Prometheus's HTTP API (`/api/v1/query`). Whatever is not one number of one series is
 * inconclusive.
 */
export async function measurePrometheus(
  { url, query, bearerFrom }: NonNullable<Metric['prometheus']>,
  conditions: Conditions,
  signal: AbortSignal,
): Promise<Measurement> {
  const token = bearerFrom === undefined ? undefined : process.env[bearerFrom];
  const address = new URL(`${url.replace(/\/$/, '')}/api/v1/query`);
  address.searchParams.set('query', query);
  try {
    const response = await fetch(address, {
      signal,
      ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}),
    });
    const parsed = answer.safeParse(await response.json());
    if (!parsed.success) return inconclusive(`${url} answered with ${response.status} and no result of a query`);
    if (parsed.data.status === 'error') return inconclusive(`${url} refused the query: ${parsed.data.error}`);
    const { data } = parsed.data;
    const values = data.resultType === 'scalar' ? [data.result] : data.result.map(({ value }) => value);
    const [only] = values;
    if (!only || values.length > 1) return inconclusive(`${query} gives ${values.length} series, and one is wanted`);
    return judgeValue(Number(only[1]), conditions, `${query} = ${only[1]}`);
  } catch (error) {
    return inconclusive(`${url} cannot be asked: ${describe(error)}`);
  }
}
