import { VerdigrisError } from '../../model/errors.ts';
import { replicationRole } from '../../model/names.ts';
import { one, type Client } from '../client.ts';
import { ident } from '../quote.ts';

/**
 * The role that subscriptions log in with may read every table, for as long as tables are synchronised; row security
 * would be in its way.
 */
export async function admitReader(live: Client): Promise<void> {
  for (const { grant } of await rights(live)) await live.query(grant);
}

/** Takes back what `admitReader` gave. */
export async function dismissReader(live: Client): Promise<void> {
  for (const { revoke } of await rights(live)) await live.query(revoke);
}

/** Says beforehand whether `admitReader` will do. @throws VerdigrisError `seed-cannot-admit` */
export async function requireAdmission(live: Client): Promise<void> {
  const { may } = await one<{ may: boolean }>(
    live,
    `SELECT r.rolsuper OR (pg_has_role('pg_read_all_data', 'USAGE WITH ADMIN OPTION')
      AND (r.rolbypassrls OR NOT EXISTS (SELECT FROM pg_class WHERE relrowsecurity))) AS may
    FROM pg_roles r WHERE r.rolname = current_user`,
  );
  if (may) return;
  throw new VerdigrisError('seed-cannot-admit', {
    seen: `${live.user ?? 'the operator'} may not let ${replicationRole} read every table of the live server.`,
    required: 'a superuser, or a role that may grant pg_read_all_data: a seed by tables reads as that role.',
    next:
      'seed by snapshot, which reads as the operator; or have `GRANT pg_read_all_data TO verdigris_operator WITH ADMIN ' +
      'OPTION` run there (and BYPASSRLS given, where tables have policies).',
  });
}

interface Right {
  readonly grant: string;
  readonly revoke: string;
}

async function rights(live: Client): Promise<Right[]> {
  const role = ident(replicationRole);
  const { policies } = await one<{ policies: boolean }>(
    live,
    'SELECT EXISTS (SELECT FROM pg_class WHERE relrowsecurity) AS policies',
  );
  const bypass = policies ? [{ grant: `ALTER ROLE ${role} BYPASSRLS`, revoke: `ALTER ROLE ${role} NOBYPASSRLS` }] : [];
  return [...bypass, { grant: `GRANT pg_read_all_data TO ${role}`, revoke: `REVOKE pg_read_all_data FROM ${role}` }];
}
