import { z } from 'zod';
import { runQuietly } from '../compare/globals.ts';
import { SecretStatement } from '../compare/secret.ts';
import { rows, type Client } from '../client.ts';
import { majorOf } from '../major.ts';
import { ident, literal } from '../quote.ts';
import { isSuperuser } from '../superuser.ts';
import { readBase, unalterable } from './carry.ts';
import { readGlobals, unreadable, type Globals } from './read.ts';
import { statementFor, statementKinds } from './statements.ts';

const entries = z.record(z.string(), z.string());

/** Roles of a server that others run, as they were before it became a candidate; verifiers where they can be read. */
export const rolesBefore = z.strictObject({ globals: entries, verifiers: entries });

type RolesBefore = z.output<typeof rolesBefore>;

/** `passwordsOf`: roles whose declared passwords were set since. */
export interface RolesToGiveBack extends RolesBefore {
  readonly passwordsOf: readonly string[];
}

/** What carrying and a fence change of a role. */
const kinds = new Set(['role', 'login', 'password', 'member', 'setting']);

/** Read before anything is carried there, and before the first fence. */
export async function readRoles(client: Client): Promise<RolesBefore> {
  return { globals: Object.fromEntries(await ofRoles(client)), verifiers: await verifiers(client) };
}

/**
 * Gives roles that were there before a release their logins, passwords, attributes, memberships and settings back, and
 * says whose. What was carried there besides stays as it is, closed. In one transaction. `unknown`: whose password was
 * set, and stays, as what it was cannot be read.
 */
export async function giveRolesBack(
  client: Client,
  { globals, verifiers, passwordsOf }: RolesToGiveBack,
): Promise<{ readonly opened: string[]; readonly unknown: string[] }> {
  const before = new Map(Object.entries(globals));
  const now = await ofRoles(client);
  const theirs = (await isSuperuser(client)) ? new Set<string>() : await unalterable(client);
  const mine = new Set(named(before, 'role').filter((role) => !theirs.has(role)));
  const major = await majorOf(client);
  const statements: SecretStatement[] = [];
  const differing = [...new Set([...before.keys(), ...now.keys()])]
    .map((key) => ({ key, parsed: JSON.parse(key) as string[] }))
    .filter(({ key, parsed }) => mine.has(subject(parsed)) && before.get(key) !== now.get(key))
    .toSorted((a, b) => order(a.parsed) - order(b.parsed));
  for (const { key, parsed } of differing) {
    const [kind, role = ''] = parsed;
    const value = before.get(key);
    if (kind === 'password' && value !== undefined)
      statements.push(
        new SecretStatement(
          `ALTER ROLE ${ident(role)} PASSWORD ${literal(verifiers[role] ?? '')}`,
          `the password of ${role}`,
        ),
      );
    else if (kind !== 'login') statements.push(await statementFor(client, major, parsed, value, now.get(key)));
  }
  const opened = named(before, 'login').filter((role) => mine.has(role));
  statements.push(...opened.map((role) => new SecretStatement(`ALTER ROLE ${ident(role)} LOGIN`)));
  if (statements.length > 0) await runQuietly(client, statements);
  const set = (await unreadable(client)).includes('password')
    ? new Set([...passwordsOf, ...named(await readBase(client), 'password')])
    : new Set<string>();
  return { opened, unknown: [...mine].filter((role) => set.has(role)) };
}

async function ofRoles(client: Client): Promise<Globals> {
  const all = await readGlobals(client, !(await isSuperuser(client)));
  return new Map([...all].filter(([key]) => subject(JSON.parse(key) as string[]) !== ''));
}

/** Whose entry it is; empty where it is none of a role's own. */
function subject([kind = '', first = '', second = '']: readonly string[]): string {
  if (!kinds.has(kind)) return '';
  return kind === 'member' || kind === 'setting' ? second : first;
}

/** Names of the entries of a kind. */
function named(globals: Globals, kind: string): string[] {
  return [...globals.keys()].flatMap((key) => {
    const [its, name = ''] = JSON.parse(key) as string[];
    return its === kind ? [name] : [];
  });
}

function order([kind = '']: readonly string[]): number {
  return statementKinds.indexOf(kind);
}

async function verifiers(client: Client): Promise<Record<string, string>> {
  if ((await unreadable(client)).includes('password')) return {};
  const found = await rows<{ name: string; verifier: string }>(
    client,
    'SELECT rolname AS name, rolpassword AS verifier FROM pg_authid WHERE rolpassword IS NOT NULL',
  );
  return Object.fromEntries(found.map(({ name, verifier }) => [name, verifier]));
}
