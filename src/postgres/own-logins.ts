import { operatorRole, replicationRole } from '../model/names.ts';
import { one, rows, type Client } from './client.ts';
import { requireOwnRole } from './own-roles.ts';
import { ident } from './quote.ts';
import { followOperator } from './readers.ts';
import { quietly } from './secretly.ts';
import { passwordClause, passwordFits } from './verifier.ts';

/** By a superuser of theirs, on a server that Verdigris did not make. Safe to run again. */
export async function makeOperator(client: Client, password: string): Promise<void> {
  const present = await rows<{ given: boolean }>(client, 'SELECT rolsuper AS given FROM pg_roles WHERE rolname = $1', [
    operatorRole,
  ]);
  if (present[0]?.given === false) await requireOwnRole(client, operatorRole);
  await setPassword(client, operatorRole, password, present.length > 0 ? 'ALTER' : 'CREATE', 'SUPERUSER LOGIN ');
}

/** Sessions that are there go on; `verdigris_reader` and `verdigris_locker` follow. Safe to run again. */
export async function setOperatorPassword(client: Client, password: string): Promise<void> {
  await setPassword(client, operatorRole, password);
  await followOperator(client, password);
}

/** Where the role is there, with another one: it is made by a seed and dropped with what it served. */
export async function setReplicationPassword(client: Client, password: string): Promise<void> {
  const there = await rows(client, 'SELECT FROM pg_roles WHERE rolname = $1', [replicationRole]);
  if (there.length === 0 || (await fits(client, password))) return;
  await setPassword(client, replicationRole, password);
}

/** False also where only a superuser may look. */
async function fits(client: Client, password: string): Promise<boolean> {
  const { may } = await one<{ may: boolean }>(client, "SELECT has_table_privilege('pg_authid', 'SELECT') AS may");
  if (!may) return false;
  const { verifier } = await one<{ verifier: string | null }>(
    client,
    'SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1',
    [replicationRole],
  );
  return passwordFits(verifier, replicationRole, password);
}

async function setPassword(
  client: Client,
  role: string,
  password: string,
  how: 'ALTER' | 'CREATE' = 'ALTER',
  attributes = '',
): Promise<void> {
  const statement = `${how} ROLE ${ident(role)} ${attributes}${passwordClause(password)}`;
  await quietly(client, async () => void (await client.query(statement)));
}
