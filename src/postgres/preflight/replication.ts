import { rows } from '../client.ts';
import { ofStream } from '../fingerprint/scope.ts';
import { ident, literal } from '../quote.ts';
import { found, inOrder, type Check } from './check.ts';
import { requireStatistics } from './transactions.ts';

/** pg_subscription is shared by all databases; subconninfo is not read: it holds passwords. */
export const subscriptions: Check = {
  id: 'existing-subscriptions',
  hazards: [19, 30],
  title: 'subscriptions of the live database',
  on: 'live',
  when: ['seed', 'switch'],
  findings: ['existing-subscriptions'],
  needs: (role) =>
    `GRANT SELECT (oid, subdbid, subname, subenabled, subslotname) ON pg_catalog.pg_subscription TO ${role};`,
  run: async (client) => {
    const found_ = await rows<{ name: string; database: string; here: boolean; enabled: boolean; slot: string | null }>(
      client,
      `
      SELECT s.subname AS name, d.datname AS database, d.datname = current_database() AS here, s.subenabled AS enabled, s.subslotname AS slot
      FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE NOT ${ofStream('s.subname')} ORDER BY d.datname COLLATE "C", s.subname COLLATE "C"`,
    );
    return found('existing-subscriptions', {
      objects: found_.map(
        ({ name, database, enabled, slot }) =>
          `${name} in ${database}, ${enabled ? 'enabled' : 'disabled'}, ${slot === null ? 'no slot' : `slot ${slot} on its publisher`}`,
      ),
      reason:
        'The copy would hold them too and take changes from their publisher that the live database then misses; ' +
        'and after the switchover they would still write to the old colour.',
      fix: inOrder(
        found_.flatMap(({ name, database, here }) => [
          `-- ${here ? '' : `in database ${database}; `}its slot stays on the publisher: drop it there, or subscribe again after the release`,
          `ALTER SUBSCRIPTION ${ident(name)} DISABLE;`,
          `ALTER SUBSCRIPTION ${ident(name)} SET (slot_name = NONE);`,
          `DROP SUBSCRIPTION ${ident(name)};`,
        ]),
      ),
    });
  },
};

/** Slots of every database: those of others are on the same volume. */
export const logicalConsumers: Check = {
  id: 'logical-consumers',
  hazards: [29],
  title: 'consumers of logical decoding',
  on: 'live',
  when: ['seed', 'switch'],
  findings: ['logical-consumers'],
  run: async (client) => {
    const slots = await rows<{
      name: string;
      database: string;
      plugin: string;
      pid: number | null;
      application: string | null;
    }>(
      client,
      `
      SELECT s.slot_name AS name, s.database, s.plugin, s.active_pid AS pid, a.application_name AS application
      FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid WHERE s.slot_type = 'logical'
      AND NOT s.temporary AND NOT ${ofStream('s.slot_name')} ORDER BY s.slot_name COLLATE "C"`,
    );
    return found('logical-consumers', {
      objects: slots.map(
        ({ name, database, plugin, pid, application }) =>
          `${name} in ${database}, plugin ${plugin}, ${pid === null ? 'nobody connected' : `read by ${application || 'unnamed'} (pid ${pid})`}`,
      ),
      reason:
        "A slot is a place in this server's log and does not come along: after the switchover these consumers " +
        'see nothing new, and start again on the other colour.',
      fix: inOrder([
        '-- stop the consumer when it has read all, make it a slot on the new live colour before it is opened, and drop this one:',
        ...slots.flatMap(({ name, pid }) => [
          ...(pid === null ? [] : [`SELECT pg_terminate_backend(${pid});`]),
          `SELECT pg_drop_replication_slot(${literal(name)});`,
        ]),
      ]),
    });
  },
};

/** Replicas that follow this server by its log. */
export const standbys: Check = {
  id: 'standbys',
  hazards: [22],
  title: 'standbys',
  on: 'live',
  when: ['seed'],
  findings: ['standbys', 'synchronous-standbys'],
  needs: (role) => `GRANT pg_monitor TO ${role};`,
  run: async (client) => {
    await requireStatistics(client);
    const physical = await rows<{ name: string; slot: boolean }>(
      client,
      `
      SELECT coalesce(nullif(a.application_name, ''), 'unnamed') || coalesce(' at ' || a.client_addr, '') || ' (pid ' || a.pid || ')' AS name, false AS slot
      FROM pg_stat_replication a WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = a.pid) AND a.application_name !~ '^verdigris'
      UNION ALL SELECT s.slot_name, true FROM pg_replication_slots s WHERE s.slot_type = 'physical'
        AND NOT s.temporary AND s.slot_name !~ '^verdigris_' ORDER BY 1`,
    );
    const [synchronous] = await rows<{ names: string }>(
      client,
      "SELECT current_setting('synchronous_standby_names') AS names",
    );
    return [
      ...found('standbys', {
        objects: physical.map(({ name, slot }) => (slot ? `physical slot ${name}` : name)),
        reason: 'They follow this server only: after the switchover they have to be created on the new live colour.',
        fix: inOrder([
          "-- make standbys of the candidate before the switchover. A slot may be a standby's that is down, or a",
          "-- backup tool's: pg_replication_slots says who reads it (active_pid). Only where its owner needs it no more:",
          ...physical
            .filter(({ slot }) => slot)
            .map(({ name }) => `SELECT pg_drop_replication_slot(${literal(name)});`),
        ]),
      }),
      ...found('synchronous-standbys', {
        objects: synchronous?.names ? [`synchronous_standby_names = ${synchronous.names}`] : [],
        reason:
          'The copy carries the setting: on the candidate, which has no standby, every commit would wait forever, and so would apply.',
      }),
    ];
  },
};

export const publications: Check = {
  id: 'publications',
  hazards: [19, 29],
  title: 'publications of others',
  on: 'live',
  when: ['seed'],
  findings: ['existing-publications'],
  run: async (client) => {
    const others = await rows<{ name: string; owner: string; everything: boolean }>(
      client,
      `SELECT pubname AS name, pg_get_userbyid(pubowner) AS owner, puballtables AS everything
      FROM pg_publication WHERE NOT ${ofStream('pubname')} ORDER BY pubname COLLATE "C"`,
    );
    return found('existing-publications', {
      objects: others.map(
        ({ name, owner, everything }) => `${name}${everything ? ', all tables' : ''}, owned by ${owner}`,
      ),
      reason: 'The copy holds them as well. They do no harm there; logical-consumers lists who subscribes to them.',
      fix: inOrder([
        '-- nothing is to be done for the release, and Verdigris removes none of them: ask their owners.',
        '-- who reads from one at this moment, as a superuser; publication_names is in the query:',
        "SELECT usename, application_name, client_addr, query FROM pg_stat_activity WHERE backend_type = 'walsender';",
        '-- whose subscription is only down (its slot keeps WAL for it):',
        "SELECT slot_name, database, active, restart_lsn FROM pg_replication_slots WHERE slot_type = 'logical';",
      ]),
    });
  },
};
