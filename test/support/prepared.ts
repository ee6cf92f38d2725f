import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withBench, type FaultBench } from '../faults/support.ts';
import { credentials, superuserPassword, type ExternalFixture } from './external.ts';
import { betweenServers } from './external-pair.ts';
import { temporaryFolder } from './postgres.ts';

/** Two servers of others, and what `script` does between them as the program that makes the copy. */
export async function withProgram(
  script: (live: ExternalFixture, candidate: ExternalFixture) => string,
  use: (bench: FaultBench, servers: { live: ExternalFixture; candidate: ExternalFixture }) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const program = path.join(folder, 'copy');
  try {
    await betweenServers(async (declaration, live, candidate) => {
      await writeFile(
        program,
        `#!/bin/sh\nset -e\nexport PGPASSWORD='${superuserPassword}' PGOPTIONS='-c client_min_messages=warning'\n${script(live, candidate)}\n`,
        {
          mode: 0o755,
        },
      );
      const seed = { method: 'prepared', command: [program] };
      await withBench({ declaration: { ...declaration, seed }, existing: credentials }, (bench) =>
        use(bench, { live, candidate }),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const from = '-h $VERDIGRIS_LIVE_HOST -p $VERDIGRIS_LIVE_PORT -U postgres';
export const to = '-h $VERDIGRIS_HOST -p $VERDIGRIS_PORT -U postgres';

/** Roles, whose passwords the seed carries, then the database as the slot's snapshot has it. */
export const dumped = `
psql ${to} -d postgres -q -c 'CREATE ROLE shop_app' -c 'CREATE ROLE shop_reader' -c 'CREATE DATABASE shop' >&2
pg_dump ${from} -d shop --snapshot="$VERDIGRIS_SNAPSHOT" --no-publications --exclude-schema=verdigris |
  psql ${to} -d shop -q -v ON_ERROR_STOP=1 -o /dev/null`;

/** A copy of the server's files, which follows it until it is promoted, in the place of the server that was there. */
export const based = (live: ExternalFixture, { bin, data }: ExternalFixture): string => `
own=; [ "$(id -u)" = 0 ] && own="setpriv --reuid=$(stat -c %u ${data}) --regid=$(stat -c %g ${data}) --clear-groups"
cd /
$own ${bin}/pg_ctl -D ${data} -w -m immediate stop >&2
mv ${data}/postgresql.auto.conf ${data}.conf
find ${data} -mindepth 1 -delete
psql ${from} -d postgres -Atq >&2 <<'SQL'
SELECT pg_backup_start('copy', true);
\\! cp -a ${live.data}/. ${data}/ 2>/dev/null || true
SELECT labelfile FROM pg_backup_stop(false) \\g ${data}/backup_label
SQL
rm -rf ${data}/postmaster.pid ${data}/pg_replslot/*
cp -p ${data}.conf ${data}/postgresql.auto.conf
echo "primary_conninfo = 'host=$VERDIGRIS_LIVE_HOST port=$VERDIGRIS_LIVE_PORT user=postgres password=''$PGPASSWORD'''" \
  >>${data}/postgresql.auto.conf
touch ${data}/standby.signal
chown --reference ${data} ${data}/standby.signal ${data}/backup_label
$own ${bin}/pg_ctl -D ${data} -w -l ${path.dirname(data)}/log start >/dev/null 2>&1
$own ${bin}/pg_ctl -D ${data} -w promote >&2`;
