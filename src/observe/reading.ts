import type { Platform } from '../platform/port/platform.ts';
import { isLetIn } from '../postgres/readers.ts';

/**
 * A platform for a process that only ever looks, and may be reached by others: servers are asked as `verdigris_reader`,
 * in sessions that are read-only besides, and whatever would change something is not there. Checks that need the
 * operator's rights cannot be made by it. `without`: what is done where a server has no reader, as managed ones and those
 * of earlier versions; in a cluster this process has no other login.
 */
export function readingPlatform(of: Platform, without: 'fail' | 'as operator' = 'fail'): Platform {
  const { servers, traffic, journal, leases, history, drills } = of;
  const strict = without === 'fail' || of.kind === 'kubernetes';
  const reader: Platform['servers']['connection'] = async (colour) => {
    const asked = await servers.readerConnection(colour);
    const as = strict || (await isLetIn(asked)) ? asked : await servers.connection(colour);
    return { ...as, readOnly: true };
  };
  return {
    kind: of.kind,
    environment: of.environment,
    remains: () => of.remains(),
    findings: async (seeding) => (await of.findings?.(seeding)) ?? [],
    space: async () => (await of.space?.()) ?? [],
    rehearsals: async () => (await of.rehearsals?.()) ?? [],
    exportFile: refuse,
    lifecycle: { create: refuse, clone: refuse, destroy: refuse },
    servers: {
      observe: (colour) => servers.observe(colour),
      connection: reader,
      readerConnection: reader,
      applyError: async (colour) => servers.applyError?.(colour),
      seeding: (from, to) => servers.seeding(from, to),
      ownsStorage: (colour) => servers.ownsStorage(colour),
      facts: (colour) => servers.facts(colour),
      supports: (major) => servers.supports(major),
      snapshots: () => servers.snapshots(),
      conninfo: refuse,
      snapshot: refuse,
      removeSnapshot: refuse,
      restore: refuse,
      unpark: refuse,
      start: refuse,
      stop: refuse,
      remove: refuse,
    },
    traffic: {
      status: () => (traffic.readerStatus ? traffic.readerStatus() : traffic.status()),
      weightFindings: async () => (await traffic.weightFindings?.()) ?? [],
      hold: refuse,
      renew: refuse,
      route: refuse,
      probe: refuse,
      resume: refuse,
      refresh: refuse,
    },
    journal: { read: () => journal.read(), write: refuse },
    leases: { holder: () => leases.holder(), acquire: refuse },
    history: { list: () => history.list(), append: refuse },
    drills: { list: () => drills.list(), record: refuse },
    credentials: {
      read: refuse,
      given: refuse,
      write: refuse,
      admit: refuse,
      own: { names: refuse, read: refuse, write: refuse },
    },
  };
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('a process that only looks changes nothing'));
}
