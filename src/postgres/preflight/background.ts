import { one, rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';
import { found, inOrder, type Check } from './check.ts';

interface Job {
  readonly id: string;
  readonly schedule: string;
  readonly command: string;
}

/** Commands that change the schema, or call what does. */
const ddl =
  /\b(create|alter|drop|truncate|reindex|cluster)\b|\b(run_maintenance|create_parent|partition_data_\w+|refresh_continuous_aggregate|create_hypertable)/i;

/**
 * By the table and not by the extension, so that jobs are seen wherever pg_cron's table is. pg_cron's README: cron.job.
 */
export const scheduledJobs: Check = {
  id: 'scheduled-jobs',
  hazards: [7, 18],
  title: 'jobs of pg_cron',
  on: 'live',
  when: ['seed', 'switch'],
  findings: ['background-ddl', 'scheduled-jobs'],
  by: 'reader',
  needs: (role) => `GRANT USAGE ON SCHEMA cron TO ${role};\nGRANT SELECT ON cron.job TO ${role};`,
  run: async (client) => {
    if (!(await exists(client, 'cron.job'))) return [];
    const jobs = await rows<Job>(
      client,
      'SELECT jobid::text AS id, schedule, command FROM cron.job WHERE active ORDER BY jobid',
    );
    const [plain, changing] = [
      jobs.filter(({ command }) => !ddl.test(command)),
      jobs.filter(({ command }) => ddl.test(command)),
    ];
    const name = ({ id, schedule, command }: Job) =>
      `job ${id}, ${schedule}: ${command.replaceAll(/\s+/g, ' ').slice(0, 80)}`;
    return [
      ...found('background-ddl', {
        objects: changing.map(name),
        reason:
          'DDL is not replicated. A partition that a job makes on the live database after seeding blocks the switchover, and its rows stop apply.',
        fix: inOrder([
          '-- until the release is over:',
          ...changing.map(({ id }) => `UPDATE cron.job SET active = false WHERE jobid = ${id};`),
        ]),
      }),
      ...found('scheduled-jobs', {
        objects: plain.map(name),
        reason:
          'They must run on the live colour only: on the candidate they would write what replication brings as well.',
      }),
    ];
  },
};

/** pg_partman's table may be in any schema. */
export const partman: Check = {
  id: 'partman',
  hazards: [7],
  title: 'pg_partman',
  on: 'live',
  when: ['seed'],
  findings: ['background-partitions'],
  by: 'reader',
  run: async (client) => {
    const [config] = await rows<{ schema: string }>(
      client,
      `
      SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = 'part_config' AND c.relkind = 'r' AND 2 = (SELECT count(*) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attname IN ('parent_table', 'automatic_maintenance')) ORDER BY 1 LIMIT 1`,
    );
    if (!config) return [];
    const parents = await rows<{ parent: string }>(
      client,
      `SELECT parent_table AS parent FROM ${ident(config.schema)}.part_config WHERE automatic_maintenance = 'on' ORDER BY parent_table`,
    );
    return found('background-partitions', {
      objects: parents.map(({ parent }) => parent),
      reason:
        'DDL is not replicated. A partition that is made on the live database after seeding is missing on the ' +
        'candidate: the switchover is blocked, and its rows stop apply.',
      fix:
        '-- until the release is over; make the partitions that will be needed meanwhile first, with ' +
        `run_maintenance():\nUPDATE ${ident(config.schema)}.part_config SET automatic_maintenance = 'off' WHERE ` +
        `automatic_maintenance = 'on';`,
    });
  },
};

/** Libraries whose workers write or run statements by themselves. */
const working: ReadonlySet<string> = new Set([
  'pg_cron',
  'pg_partman_bgw',
  'timescaledb',
  'citus',
  'pglogical',
  'pg_squeeze',
  'bdr',
  'pgagent',
  'pg_later',
  'pgmq',
  'pg_net',
  'pg_task',
  'pg_timetable',
  'wal2mongo',
  'spock',
]);

/** Which of shared_preload_libraries run by themselves; paths and suffixes as PostgreSQL allows them. */
export function workingLibraries(setting: string): string[] {
  return setting
    .split(',')
    .map((name) => name.trim().replaceAll('"', '').replace(/^.*\//, '').replace(/\.so$/, ''))
    .filter((name) => working.has(name));
}

/** shared_preload_libraries is shown to pg_read_all_settings only. */
export const workers: Check = {
  id: 'workers',
  hazards: [18, 27],
  title: 'preloaded libraries',
  on: 'both',
  when: ['seed', 'migrate'],
  findings: ['background-workers', 'preloaded-libraries'],
  needs: (role) => `GRANT pg_read_all_settings TO ${role};`,
  run: async (client, { side }) => {
    const { setting } = await one<{ setting: string }>(
      client,
      "SELECT current_setting('shared_preload_libraries') AS setting",
    );
    const libraries = setting
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    return [
      ...workersFinding(workingLibraries(setting)),
      ...found('preloaded-libraries', {
        objects: side === 'live' ? libraries : [],
        reason: "The candidate's image must hold the same, or the copied configuration keeps it from starting.",
      }),
    ];
  },
};

export function workersFinding(names: readonly string[]) {
  return found('background-workers', {
    objects: names,
    reason: 'On the candidate they would run every job a second time, or write what replication brings as well.',
  });
}

async function exists(client: Client, name: string): Promise<boolean> {
  return (
    await one<{ there: boolean }>(
      client,
      `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname || '.' || c.relname = $1) AS there`,
      [name],
    )
  ).there;
}
