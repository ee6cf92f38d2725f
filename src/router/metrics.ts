import { Counter, Gauge, Registry } from 'prom-client';
import { colours, type Colour } from '../model/colours.ts';
import type { RouterStatus } from './api.ts';

type Sample = readonly [labels: Record<string, string>, value: number];

/** The router's state for Prometheus, in its text format. */
export function routerMetrics(status: RouterStatus): Promise<string> {
  const registry = new Registry();
  const { environment } = status;
  const family = (of: typeof Gauge | typeof Counter, name: string, help: string, samples: readonly Sample[]): void => {
    const labelNames = ['environment', ...Object.keys(samples[0]?.[0] ?? {})];
    const metric = new of({ name: `verdigris_router_${name}`, help, labelNames, registers: [registry] });
    for (const [labels, value] of samples) metric.inc({ environment, ...labels }, value);
  };
  const single = (value: number): readonly Sample[] => [[{}, value]];
  const each = (of: (colour: Colour) => Readonly<Record<string, number>>, label: string): readonly Sample[] =>
    colours.flatMap((colour) =>
      Object.entries(of(colour)).map(([key, value]): Sample => [{ colour, [label]: key }, value]),
    );
  family(
    Gauge,
    'live',
    '1 for the colour that takes writes',
    colours.map((colour) => [{ colour }, Number(status.live === colour)]),
  );
  family(
    Gauge,
    'read_weight',
    'Share of the readers, in proportion',
    colours.map((colour) => [{ colour }, status.weights[colour]]),
  );
  family(Gauge, 'held', '1 while clients are held', single(Number(status.held !== null)));
  family(Gauge, 'longest_wait_seconds', 'Longest wait of a client in the last hold', single(status.pauseMs / 1000));
  family(
    Gauge,
    'sessions',
    'Sessions by colour and state',
    each((colour) => status.sessions[colour], 'state'),
  );
  family(Gauge, 'pinned_sessions', 'Sessions that a switchover will cut', single(status.pinnedCount));
  family(
    Counter,
    'statements_total',
    'Statements passed on',
    each((colour) => status.statements[colour], 'kind'),
  );
  family(Counter, 'moves_total', 'Sessions that got another backend without noticing', single(status.moves));
  return registry.metrics();
}
