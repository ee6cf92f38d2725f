import { closedToAll, closedToNobody, lockSetting, refusingRules } from '../model/closed-file.ts';
import { hookRole, migrationRole, ownRoles, replicationRole } from '../model/names.ts';
import { one, type Client } from './client.ts';
import { literal } from './quote.ts';

/**
 * Rules that come before all others, on a machine of Verdigris's own: its roles through the socket; over the network of
 * this machine the other colour's subscription, and migration tools while they have a role of their own; and nobody of
 * those whom `file` names, over no path. They stay; what changes is the file, so that closing and opening is one word
 * and a reload. A name without a path lies beside pg_hba.conf. `subscribers`: where the other colour's server is, `all`
 * where others run that.
 */
export function hbaLockRules(file: string, subscribers: 'samehost' | 'all' = 'samehost'): string {
  return [
    `local all ${ownRoles.join(',')} trust`,
    `host all ${migrationRole},${hookRole},${replicationRole} samehost scram-sha-256`,
    ...(subscribers === 'all' ? [`host all ${replicationRole} all scram-sha-256`] : []),
    ...refusingRules(file),
    '',
  ].join('\n');
}

/**
 * Turns the second lock where there is one. The server reads it within moments: who must know that it has, tries to get
 * in.
 */
export async function turnLock(client: Client, to: 'closed' | 'open'): Promise<boolean> {
  const file = await lockFile(client);
  if (file === null) return false;
  const names = to === 'closed' ? closedToAll : closedToNobody;
  // What is turned already is not written again: a write empties the file first, and on a full disk it stays empty.
  const { content } = await one<{ content: Buffer | null }>(
    client,
    'SELECT pg_read_binary_file($1, 0, 64, true) AS content',
    [file],
  );
  if (content?.toString().trim() === names) return true;
  await client.query(`COPY (SELECT ${literal(names)}) TO ${literal(file)}; SELECT pg_reload_conf()`);
  return true;
}

async function lockFile(client: Client): Promise<string | null> {
  const { file } = await one<{ file: string | null }>(client, 'SELECT nullif(current_setting($1, true), $2) AS file', [
    lockSetting,
    '',
  ]);
  return file;
}
