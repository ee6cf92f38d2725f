import { colours } from '../model/colours.ts';
import type { RouterStatus, SessionState } from './api.ts';
import type { Router } from './router.ts';
import { version } from '../model/version.ts';

const startedAt = new Date().toISOString();
const none = (): Record<SessionState, number> => ({
  connecting: 0,
  idle: 0,
  active: 0,
  transaction: 0,
  waiting: 0,
  detached: 0,
});

export function routerStatus(router: Router): RouterStatus {
  const { config, table, hold } = router;
  const sessions = { blue: none(), green: none() };
  const pinned: RouterStatus['pinned'][number][] = [];
  for (const session of router.sessions) {
    const facts = session.facts();
    sessions[facts.colour][facts.state]++;
    if (session.pins.length > 0) pinned.push({ ...facts, pins: session.pins });
  }
  const record = hold.record;
  return {
    environment: config.environment,
    address: `${config.listen.host}:${config.listen.port}`,
    pid: process.pid,
    version,
    startedAt,
    live: table.live,
    weights: table.weights,
    upstreams: table.upstreams,
    token: router.token,
    held: record
      ? {
          token: record.token,
          since: new Date(record.since).toISOString(),
          expires: new Date(record.expires).toISOString(),
        }
      : null,
    sessions,
    pinned,
    pinnedCount: pinned.length,
    statements: router.statements,
    reads: { shown: router.taps.shown, dropped: router.taps.dropped },
    moves: router.moves,
    pauseMs: Math.round(hold.longestWait * 10) / 10,
  };
}

/** The same for Prometheus, in its text format. */
export function routerMetrics(status: RouterStatus): string {
  const lines: string[] = [];
  const family = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    samples: [labels: Record<string, string>, value: number][],
  ) => {
    lines.push(`# HELP verdigris_router_${name} ${help}`, `# TYPE verdigris_router_${name} ${type}`);
    for (const [labels, value] of samples) {
      const inner = Object.entries({ environment: status.environment, ...labels }).map(
        ([key, text]) => `${key}="${text.replaceAll(/["\\]/g, '\\$&')}"`,
      );
      lines.push(`verdigris_router_${name}{${inner.join(',')}} ${value}`);
    }
  };
  family(
    'live',
    'gauge',
    '1 for the colour that takes writes',
    colours.map((colour) => [{ colour }, Number(status.live === colour)]),
  );
  family(
    'read_weight',
    'gauge',
    'Share of the readers, in proportion',
    colours.map((colour) => [{ colour }, status.weights[colour]]),
  );
  family('held', 'gauge', '1 while clients are held', [[{}, Number(status.held !== null)]]);
  family('longest_wait_seconds', 'gauge', 'Longest wait of a client in the last hold', [[{}, status.pauseMs / 1000]]);
  family(
    'sessions',
    'gauge',
    'Sessions by colour and state',
    colours.flatMap((colour) =>
      Object.entries(status.sessions[colour]).map(([state, count]): [Record<string, string>, number] => [
        { colour, state },
        count,
      ]),
    ),
  );
  family('pinned_sessions', 'gauge', 'Sessions that a switchover will cut', [[{}, status.pinnedCount]]);
  family(
    'statements_total',
    'counter',
    'Statements passed on',
    colours.flatMap((colour) =>
      Object.entries(status.statements[colour]).map(([kind, count]): [Record<string, string>, number] => [
        { colour, kind },
        count,
      ]),
    ),
  );
  family('moves_total', 'counter', 'Sessions that got another backend without noticing', [[{}, status.moves]]);
  return `${lines.join('\n')}\n`;
}
