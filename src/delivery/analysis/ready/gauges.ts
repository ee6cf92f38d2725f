import type { Condition } from '../../../model/condition.ts';
import { parseCondition } from '../../../model/condition.ts';
import type { ReadyMetric } from '../../../model/delivery-metrics.ts';
import { one, type Client } from '../../../postgres/client.ts';
import { readSlot } from '../../../postgres/stream/slot.ts';
import { readSubscription } from '../../../postgres/stream/subscription.ts';
import type { Colours } from '../colours.ts';
import { inconclusive, judgeValue, type Conditions, type Measurement } from '../measurement.ts';

/** Block accesses below which a hit ratio says nothing. */
const leastAccesses = 1_000;

interface Reading {
  readonly value: number;
  readonly seen: string;
}

interface Gauge {
  /** What it means where nothing else is declared. */
  readonly conditions: (colours: Colours) => { readonly success: Condition; readonly failure: Condition };
  /** A string: why there is no value. */
  readonly read: (colours: Colours) => Promise<Reading | string>;
}

const fixed = (success: string, failure: string) => () => ({
  success: parseCondition(success),
  failure: parseCondition(failure),
});

export const gauges: Readonly<Record<Exclude<ReadyMetric, 'latency' | 'errors' | 'plans' | 'mirror'>, Gauge>> = {
  /**
   * Bytes that the other colour has not confirmed. Beyond what a switchover begins with it is unclear, four times that
   * is a failure.
   */
  lag: {
    conditions: ({ environment: { limits } }) => ({
      success: parseCondition(`<= ${limits.lag}`),
      failure: parseCondition(`> ${4 * limits.lag}`),
    }),
    async read(colours) {
      const { stream } = colours.journal;
      const slot = stream && (await colours.look(stream.from, (client) => readSlot(client, stream.name)));
      return slot
        ? { value: slot.behind, seen: `${stream.to} is ${slot.behind} bytes behind` }
        : 'there is no replication slot';
    },
  },
  /** Errors of apply since the comparison that proved the copy; a worker that is gone counts as one. */
  apply: {
    conditions: fixed('= 0', '> 0'),
    async read(colours) {
      const { stream, release } = colours.journal;
      const found = stream && (await colours.look(stream.to, (client) => readSubscription(client, stream.name)));
      if (!found) return 'there is no subscription';
      const before = release?.switchedAt === undefined ? (release?.verification?.proof?.errors ?? 0) : 0;
      const value = found.errors - before + (found.enabled && found.working ? 0 : 1);
      return {
        value,
        seen: `${found.errors - before} errors on ${stream.to}, apply ${found.working ? 'works' : 'does not work'}`,
      };
    },
  },
  /** What the new release's server would have to hold if it served every client, as a share of its max_connections. */
  connections: {
    conditions: fixed('<= 0.8', '> 0.95'),
    async read(colours) {
      const { most } = await colours.look(colours.candidate, (client) =>
        one<{ most: number }>(client, "SELECT current_setting('max_connections')::int AS most"),
      );
      const { used } = await colours.look(colours.journal.live, (client) =>
        one<{ used: number }>(
          client,
          "SELECT count(*)::int AS used FROM pg_stat_activity WHERE backend_type = 'client backend'",
        ),
      );
      return { value: used / most, seen: `${used} clients, and max_connections of ${colours.candidate} is ${most}` };
    },
  },
  /** How much less of what is read comes from memory than on the other colour, as a difference of shares. */
  cache: {
    conditions: fixed('<= 0.05', '> 0.2'),
    async read(colours) {
      const [candidate, former] = [await hitRatio(colours, colours.candidate), await hitRatio(colours, colours.former)];
      if (candidate === undefined || former === undefined)
        return `less than ${leastAccesses} blocks were read on a colour`;
      const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
      return {
        value: former - candidate,
        seen: `${percent(candidate)} from memory on ${colours.candidate}, ${percent(former)} on ${colours.former}`,
      };
    },
  },
  /** Indexes that no query uses, because their making failed or goes on. */
  indexes: {
    conditions: fixed('= 0', '> 0'),
    async read(colours) {
      const { names } = await colours.look(colours.candidate, (client) =>
        one<{ names: string[] }>(
          client,
          `SELECT coalesce(array_agg(i.indexrelid::regclass::text ORDER BY 1), '{}') AS names FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE NOT i.indisvalid AND c.relkind = 'i'`,
        ),
      );
      return { value: names.length, seen: `${names.length} invalid${names.length > 0 ? `: ${names.join(', ')}` : ''}` };
    },
  },
};

async function hitRatio(colours: Colours, colour: Colours['candidate']): Promise<number | undefined> {
  const { hit, read } = await colours.look(colour, (client: Client) =>
    one<{ hit: number; read: number }>(
      client,
      'SELECT blks_hit::float8 AS hit, blks_read::float8 AS read FROM pg_stat_database WHERE datname = current_database()',
    ),
  );
  return hit + read < leastAccesses ? undefined : hit / (hit + read);
}

export async function measureGauge(
  name: keyof typeof gauges,
  declared: Conditions,
  colours: Colours,
): Promise<Measurement> {
  const { conditions, read } = gauges[name];
  const reading = await read(colours);
  if (typeof reading === 'string') return inconclusive(reading);
  return judgeValue(reading.value, declared.success || declared.failure ? declared : conditions(colours), reading.seen);
}
