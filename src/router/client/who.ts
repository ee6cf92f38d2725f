import type { RouteTable } from '../table.ts';

/** What a client said of itself in its startup message. */
export interface Who {
  readonly user: string;
  readonly database: string;
  readonly applicationName: string;
  readonly reader: boolean;
  /** A stream of changes never becomes idle: it is neither waited for nor moved. */
  readonly replication: boolean;
  /** Came through the operator's own socket: it is let in without a password, and passes a hold. */
  readonly operator: boolean;
}

const no = new Set(['', 'false', 'off', 'no', '0']);

export function whoIs(parameters: ReadonlyMap<string, string>, table: RouteTable, operator: boolean): Who {
  const user = parameters.get('user') ?? '';
  return {
    user,
    database: parameters.get('database') ?? user,
    applicationName: parameters.get('application_name') ?? '',
    reader: table.reads(user),
    replication: !no.has(parameters.get('replication') ?? ''),
    operator,
  };
}
