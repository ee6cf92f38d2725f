import { VerdigrisError } from '../model/errors.ts';
import type { ConnectionSettings, TlsSettings } from './connection.ts';
import { wrongPassword } from '../model/failures.ts';

/** Node's and OpenSSL's codes (EPROTO: a handshake that failed, of whatever reason), and what node-postgres says of a server without TLS. */
function isTlsFailure(cause: unknown): boolean {
  const { code = '', message } = cause as { code?: string; message: string };
  return (
    /^(EPROTO|ERR_(TLS|SSL)|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)/.test(code) || message.includes('SSL connections')
  );
}

function untrusted(
  { host, port }: Pick<ConnectionSettings, 'host' | 'port'>,
  { mode, ca }: TlsSettings,
  cause: unknown,
): VerdigrisError {
  return new VerdigrisError('tls-refused', {
    seen: `${host}:${port} cannot be trusted with sslmode ${mode}: ${(cause as Error).message}.`,
    required: `a certificate of ${host} that ${ca === undefined ? 'an authority of the system' : `one of ${ca}`} has signed.`,
    next: 'declare the file of the right authorities (ca), or the name that the certificate has (host); nothing was changed.',
    cause,
  });
}

/** 53300, too_many_connections: of the server, its database or a role, as PostgreSQL or `unwelcome` says it. */
export function isFull(error: unknown): boolean {
  const { code, cause } = error as { code?: string; cause?: unknown };
  return code === '53300' || (cause as { code?: string } | undefined)?.code === '53300';
}

function full({ host, port, database, user }: ConnectionSettings, cause: unknown): VerdigrisError {
  return new VerdigrisError('server-full', {
    seen: `${host}:${port} has no connection free for ${user} in ${database}: ${(cause as Error).message}.`,
    required: 'a free connection for each session of Verdigris, of the server, the database and the role.',
    next:
      'find out who has them all (`SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP BY 1, 2`), and end ' +
      'those, or raise max_connections or the CONNECTION LIMIT; then the same command again: what was begun is undone or continued.',
    facts: { host, port, database, user },
    cause,
  });
}

/** A wrong password is reported with where it is from. */
export function unwelcome({ passwordFrom, tls, ...settings }: ConnectionSettings, cause: unknown): unknown {
  if (tls !== undefined && isTlsFailure(cause)) return untrusted(settings, tls, cause);
  if (isFull(cause)) return full(settings, cause);
  // 28P01 invalid_password, 28000 invalid_authorization_specification
  if (passwordFrom === undefined || !['28P01', '28000'].includes((cause as { code?: string }).code ?? '')) return cause;
  return wrongPassword(
    `${settings.host}:${settings.port} does not let ${settings.user} in with the password of ${passwordFrom}: ${(cause as Error).message}.`,
    'the password that the server knows, and a line of its pg_hba.conf that takes it.',
    'put the right one there',
    cause,
  );
}

/** Nothing that a server refuses a login for has a context; what a trigger ON login raises has. */
export function isOfLoginTrigger(cause: unknown): boolean {
  return /\bfunction\b/.test((cause as { where?: string }).where ?? '');
}

export function loginTriggerFails(
  { host, port, user }: Pick<ConnectionSettings, 'host' | 'port' | 'user'>,
  triggers: readonly string[],
  cause: unknown,
): VerdigrisError {
  const { message, where = '' } = cause as { message: string; where?: string };
  const named = triggers.length === 0 ? 'an event trigger ON login' : triggers.join(', ');
  return new VerdigrisError('login-trigger-fails', {
    seen: `${named} lets no session of ${user} in at ${host}:${port}: ${message} (${where.split('\n').at(-1)}).`,
    required:
      "no enabled event trigger ON login: it runs for Verdigris's sessions too, those that only read among them.",
    next: `${triggers.map((name) => `ALTER EVENT TRIGGER ${name} DISABLE;`).join(' ')} Then the same command again; nothing was changed.`,
    facts: { triggers },
    cause,
  });
}

/** What is in the schema may be anything then, and would be read and written by a superuser, or by `user`. */
export interface SchemaTaken {
  readonly schema: string;
  readonly owner: string;
  /** Whose the schema and its tables may be too. */
  readonly user?: string;
}

export function schemaTaken(
  { database, host, port }: Pick<ConnectionSettings, 'database' | 'host' | 'port'>,
  { schema, owner, user }: SchemaTaken,
): VerdigrisError {
  return new VerdigrisError('schema-taken', {
    seen: `The schema ${schema} of ${database} on ${host}:${port}${user ? ', or a table in it,' : ''} belongs to ${owner}, who is not a superuser.`,
    required:
      'a schema of this name that Verdigris has made, or none: its tables say who is live and hold SQL that is run.',
    next:
      `check what is in it; if nobody needs it, \`DROP SCHEMA ${schema} CASCADE\`, and make sure that ` +
      `${owner} cannot create it again (CREATE on the database)` +
      (user ? `; if it is yours, give it and its tables to ${user} (ALTER … OWNER TO).` : '.'),
    facts: { database, schema, owner },
  });
}
