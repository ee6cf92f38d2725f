import type { Status } from '../../src/operations/reads/status-types.ts';

/** A status of an environment in the middle of a retained release, over which a test lays its own fields. */
export function status(more: Partial<Status> = {}): Status {
  return {
    environment: 'shop',
    platform: 'local',
    state: 'switched',
    guarantee: 'g',
    live: 'green',
    declaredLive: 'green',
    release: { from: '1', to: '2' },
    colours: [
      { colour: 'blue', role: 'retained', running: true, version: '15.1', release: '1', bytes: 1_000 },
      { colour: 'green', role: 'live', running: true, version: '15.1', release: '2', bytes: 2_000 },
    ],
    replication: {
      from: 'green',
      to: 'blue',
      name: 's',
      slot: 'reserved',
      applying: true,
      lagBytes: 512,
      lagSeconds: 0.5,
      retainedBytes: 4_096,
    },
    losslessRollback: true,
    disks: [{ place: 'journal', free: 10_000, total: 100_000 }],
    traffic: { address: '127.0.0.1:1', running: true, live: 'green', canary: 0 },
    pauseMs: 126,
    refusals: [],
    credentials: [{ role: 'shop_app', since: '2025-12-31T00:01:00.000Z', old: false }],
    troubles: [],
    next: [],
    ...more,
  } as Status;
}
