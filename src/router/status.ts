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
