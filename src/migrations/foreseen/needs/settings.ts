import { constant, type Of } from '../../lint/ast.ts';
import type { Statement } from '../../lint/statement.ts';
import type { StatementNeed, Running } from './need.ts';
import { isSuper, mayBecome, roleIsThere, superuser } from './rights.ts';

/** A setting that is not there, that no session may set, or that only a superuser may. */
export function settingsNeeded({ tag, fields }: Statement, { as: owner }: Running): StatementNeed[] {
  const { kind, name, args } = fields as Of<'VariableSetStmt'>;
  if (tag !== 'VariableSetStmt' || name === undefined || kind === 'VAR_SET_MULTI' || kind === 'VAR_RESET_ALL')
    return [];
  const back = kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT';
  const value = back ? undefined : constant(args?.[0]);
  if (name === 'role') {
    if (value === undefined || value === 'none') return [];
    return [roleIsThere(value), ...(owner === undefined ? [] : [mayBecome(owner, value)])];
  }
  if (name === 'session_authorization')
    return value === undefined || owner === undefined
      ? []
      : [superuser(owner, 'permission denied to set session authorization')];
  // Of a namespace that no extension has taken, anybody may make one.
  if (name.includes('.')) return [];
  const [called, ofMajor] = [name.toLowerCase(), true] as const;
  return [
    {
      // Some are in no list.
      holds: 'current_setting($1, true) IS NOT NULL',
      values: [called],
      lacking: `unrecognized configuration parameter "${name}"`,
      ofMajor,
    },
    {
      holds: "NOT EXISTS (SELECT FROM pg_settings WHERE lower(name) = $1 AND context NOT IN ('user', 'superuser'))",
      values: [called],
      lacking: `parameter "${name}" cannot be set in a session`,
      ofMajor,
    },
    ...(owner === undefined ? [] : [maySet(called, owner)]),
  ];
}

function maySet(name: string, owner: string): StatementNeed {
  return {
    holds: `NOT EXISTS (SELECT FROM pg_settings WHERE lower(name) = $1 AND context = 'superuser') OR ${isSuper('$2')}
      OR CASE WHEN current_setting('server_version_num')::int >= 150000 THEN has_parameter_privilege($2, $1, 'SET') ELSE false END`,
    values: [name, owner],
    lacking: `permission denied to set parameter "${name}"`,
    right: true,
    ofMajor: true,
  };
}
