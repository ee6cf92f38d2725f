import { everyLogin } from '../../model/logins.ts';
import { rows } from '../client.ts';
import { notOfUser } from '../fingerprint/scope.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { requireStatistics } from './transactions.ts';

interface Session {
  readonly pid: number;
  readonly user: string;
  readonly database: string;
  readonly application: string;
  readonly address: string | null;
  readonly superuser: boolean;
  readonly here: boolean;
}

/**
 * Who is connected. Sessions under names of ours are replication's; the operator's are Verdigris or a person at its
 * side.
 */
export const sessions: Check = {
  id: 'sessions',
  hazards: [33],
  title: 'sessions of others',
  on: 'live',
  when: everyGate,
  findings: ['superuser-sessions', 'undeclared-sessions'],
  needs: (role) => `GRANT pg_read_all_stats TO ${role};`,
  run: async (client, { roles, operator }) => {
    await requireStatistics(client);
    const strangers = await rows<Session>(
      client,
      `
      SELECT a.pid, a.usename AS user, a.datname AS database, a.application_name AS application, a.client_addr::text
        AS address, r.rolsuper AS superuser, a.datname = current_database() AS here
      FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
      WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND a.usename <> $1
      AND NOT ${notOfUser('a.usename')} AND (r.rolsuper OR (a.datname = current_database() AND a.usename <> ALL ($2))) ORDER BY a.pid`,
      [operator, everyLogin([...roles.application, ...roles.readers])],
    );
    const name = ({ pid, user, database, application, address }: Session) =>
      `pid ${pid} ${user}@${database} (${application || 'unnamed'})${address === null ? '' : ` from ${address}`}`;
    const end = (some: readonly Session[]) => inOrder(some.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`));
    const [supers, undeclared] = [
      strangers.filter(({ superuser }) => superuser),
      strangers.filter(({ superuser }) => !superuser),
    ];
    return [
      ...found('superuser-sessions', {
        objects: supers.map(name),
        reason: 'They can write whatever is fenced, and can undo the fence while writes move.',
        fix: end(supers),
      }),
      ...found('undeclared-sessions', {
        objects: undeclared.map(name),
        reason:
          'The fence ends every session but ours, theirs too, without holding them first: they see an error where declared clients wait.',
        fix: `-- declare ${[...new Set(undeclared.map(({ user }) => user))].join(', ')} under roles, or end them:\n${end(undeclared)}`,
      }),
    ];
  },
};
