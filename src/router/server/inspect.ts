import { back, front, message, readReport, sync } from '../../wire/messages.ts';
import type { Backend } from './backend.ts';
import { whenSilent } from '../../model/wait.ts';

/** What the server itself says of a session's state. All text is latin1, as it came. */
export interface SeenState {
  readonly settings: ReadonlyMap<string, string>;
  readonly channels: readonly string[];
  /** SQL text by name; without one where it was made by the protocol. */
  readonly prepared: ReadonlyMap<string, string | undefined>;
  readonly user: string;
  readonly temporary: boolean;
  readonly held: boolean;
  readonly locked: boolean;
}

/** Milliseconds; a session whose state cannot be had is not moved. */
const patience = 5_000;
/** Not the unnamed statement: that is the client's. */
const own = 'verdigris_inspect';

/**
 * Settings of an application's own are in no list of the server's: their names are taken from the texts that the client
 * sent ($1) and from the bodies of functions.
 */
const questionOf = (body: string) => String.raw`
SELECT 'setting', pg_catalog.lower(name), setting FROM pg_catalog.pg_settings
WHERE source = 'session' AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
UNION ALL SELECT 'setting', 'role', pg_catalog.current_setting('role') WHERE pg_catalog.current_setting('role') <> 'none'
UNION ALL SELECT 'setting', own.name, pg_catalog.current_setting(own.name, true) FROM (
  SELECT pg_catalog.unnest($1::pg_catalog.text[]) AS name UNION
  SELECT pg_catalog.lower(found[1]) FROM pg_catalog.pg_proc,
    LATERAL pg_catalog.regexp_matches(${body},
      '(?:set_config\s*\(\s*''|\mset\s+(?:session\s+|local\s+)?)([a-z_][\w$]*\.[a-z_][\w$.]*)', 'gi') AS found
  WHERE pg_proc.oid >= 16384) AS own
WHERE pg_catalog.current_setting(own.name, true) <> '' AND own.name NOT IN (SELECT pg_catalog.lower(name) FROM pg_catalog.pg_settings)
UNION ALL SELECT 'user', session_user::pg_catalog.text, NULL
UNION ALL SELECT 'channel', channel, NULL FROM pg_catalog.pg_listening_channels() AS channel
UNION ALL SELECT 'prepared', name, CASE WHEN from_sql THEN statement END FROM pg_catalog.pg_prepared_statements WHERE name <> '${own}'
UNION ALL (SELECT 'held', '', NULL FROM pg_catalog.pg_cursors WHERE is_holdable LIMIT 1)
UNION ALL (SELECT 'locked', '', NULL FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() LIMIT 1)
UNION ALL (SELECT 'temporary', '', NULL FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema() LIMIT 1)
UNION ALL (SELECT 'temporary', '', NULL FROM pg_catalog.pg_type WHERE typnamespace = pg_catalog.pg_my_temp_schema() LIMIT 1)
UNION ALL (SELECT 'temporary', '', NULL FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.pg_my_temp_schema() LIMIT 1)`;

const question = questionOf('coalesce(pg_catalog.pg_get_function_sqlbody(pg_proc.oid), prosrc)');
/** Before PostgreSQL 14 every body is text. */
const olderQuestion = questionOf('prosrc');
/** undefined_function */
const unknownFunction = '42883';

/**
 * Asks an idle backend, outside a transaction, for the state of its session. One round trip, by the extended protocol,
 * so that no statement of the client's is touched. `pass` gets what the server says to the client meanwhile. Rejects
 * where the server does not say, or ends. The listener is the caller's to set again.
 */
export async function inspect(
  backend: Backend,
  ownSettings: readonly string[],
  pass: (bytes: Buffer) => void,
  asking = question,
): Promise<SeenState> {
  const answered = Promise.withResolvers<void>();
  const rows: (string | undefined)[][] = [];
  let failure: (Error & { code?: string }) | undefined;
  backend.listener = {
    wanted: (type) => (type === back.dataRow ? 1024 * 1024 : undefined),
    judge(type, head) {
      if (type === back.dataRow) rows.push(columns(head));
      else if (type === back.error) {
        const { severity, code, message: said } = readReport(head);
        failure = Object.assign(new Error(said), { code });
        if (severity === 'FATAL' || severity === 'PANIC') answered.reject(failure);
      } else if (type === back.ready) answered.resolve();
      return type === back.notification || type === back.parameter ? 'pass' : 'drop';
    },
    pass,
    gone: (cause) => answered.reject(cause ?? new Error('the server closed the connection')),
  };
  const stop = whenSilent(patience, () => answered.reject(new Error(`the server said nothing for ${patience} ms`)));
  backend.socket.write(asked(ownSettings, asking));
  try {
    await answered.promise;
  } finally {
    stop();
  }
  if (failure?.code === unknownFunction && asking === question)
    return inspect(backend, ownSettings, pass, olderQuestion);
  if (failure) throw failure;
  return stateOf(rows);
}

function asked(ownSettings: readonly string[], question: string): Buffer {
  const names = Buffer.from(
    `{${ownSettings.map((name) => `"${name.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`,
    'latin1',
  );
  const bind = Buffer.concat([Buffer.from(`${own}\0${own}\0\0\0\0\x01`), Buffer.alloc(4), names, Buffer.alloc(2)]);
  bind.writeInt32BE(names.length, bind.length - names.length - 6);
  const named = (before: string) => Buffer.from(`${before}${own}\0`);
  return Buffer.concat([
    message(front.parse, Buffer.from(`${own}\0${question}\0\0\0`)),
    message(front.bind, bind),
    message(front.execute, Buffer.concat([named(''), Buffer.alloc(4)])),
    message(front.close, named('S')),
    sync,
  ]);
}

function columns(row: Buffer): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  for (let at = 2, left = row.readInt16BE(0); left > 0; left--) {
    const length = row.readInt32BE(at);
    at += 4;
    found.push(length < 0 ? undefined : row.toString('latin1', at, at + length));
    at += Math.max(0, length);
  }
  return found;
}

function stateOf(rows: readonly (string | undefined)[][]): SeenState {
  const of = (kind: string) => rows.filter((row) => row[0] === kind);
  const pairs = (kind: string) => of(kind).map(([, name = '', value]): [string, string | undefined] => [name, value]);
  return {
    settings: new Map(pairs('setting').map(([name, value = '']) => [name, value])),
    channels: pairs('channel').map(([name]) => name),
    prepared: new Map(pairs('prepared')),
    user: pairs('user')[0]?.[0] ?? '',
    temporary: of('temporary').length > 0,
    held: of('held').length > 0,
    locked: of('locked').length > 0,
  };
}
