import type { DeclarationIssue } from './declaration-issues.ts';
import { asList, asObject } from './raw.ts';

/** Keys without which a kind of traffic is none. */
const needed: Readonly<Record<string, readonly string[]>> = {
  routers: ['address'],
  pgbouncer: ['pgbouncers', 'user', 'password'],
  command: ['command', 'address'],
};

interface Server {
  readonly path: string;
  readonly kind: unknown;
  readonly colour?: unknown;
}

/** Of clients' paths that others run: they lead to servers that others run too, and a login of a client's tries them. */
export function unfitTraffic(top: Record<string, unknown>, servers: readonly Server[]): DeclarationIssue[] {
  const traffic = asObject(top['traffic']);
  const kind = String(traffic['kind']);
  const keys = needed[kind];
  if (!keys) return [];
  const missing = keys
    .filter((key) => traffic[key] === undefined)
    .map((key) => ({ path: `traffic.${key}`, message: `is required of ${kind}` }));
  const elsewhere = servers
    .filter((server) => server.colour !== undefined && server.kind !== 'external')
    .map(({ path }) => ({
      path: `${path}.kind`,
      message: `is not external, and traffic.kind ${kind} leads clients to servers that others run: to one of this machine they come by the router`,
    }));
  const [role] = asList(asObject(top['roles'])['application']).map(String);
  const known = role === undefined || asObject(asObject(top['local'])['passwords'])[role] !== undefined;
  return [
    ...missing,
    ...elsewhere,
    ...(kind === 'command' || known
      ? []
      : [
          {
            path: `local.passwords.${role}`,
            message: `is required by traffic.kind ${kind}: by that login it is asked through the clients' path who answers`,
          },
        ]),
    ...(asObject(traffic['password'])['env'] === undefined
      ? []
      : [
          {
            path: 'traffic.password.env',
            message: 'is a variable, and recoveries that nobody calls have none of yours: declare a file or a command',
          },
        ]),
  ];
}
