import type { Environment } from '../../../model/environment.ts';
import { withMigrationRole } from '../../../migrations/engines/role.ts';
import { withOwnerSession } from '../../../migrations/owner-session.ts';
import { runShell, tail, type ShellResult } from '../../../migrations/rehearsal/shell.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import { asLogin, rows, withFixedPath, withTransaction, type Client } from '../../../postgres/client.ts';
import type { ConnectionSettings } from '../../../postgres/connection.ts';
import { withClient } from '../../../postgres/session.ts';
import { migrationOwner } from '../../../postgres/owners.ts';
import { literal } from '../../../postgres/quote.ts';
import type { KubernetesParts } from '../parts.ts';
import { connectionIn } from '../../connection-in.ts';
import type { From } from './origin.ts';

/** Milliseconds that a command may mask for: it rewrites a whole database, and must end all the same. */
const maskLimit = 12 * 3_600_000;

/**
 * As the owner, so that code that the copy brings along has no more rights than it had in the original. Marks it in the
 * same transaction, so that SQL runs once. A command cannot be bound to one: cut short, it runs again.
 */
export async function mask(
  { database, live, roles }: Environment,
  platform: KubernetesParts,
  how: From['mask'],
): Promise<void> {
  if (how === 'none') return;
  const connection = await connectionIn(platform.servers, live, database);
  const claim = await platform.servers.claimOf(live);
  await withClient(connection, 'mask', async (operator) => {
    const owner = await withFixedPath(operator, async () => {
      const done = await rows(operator, 'SELECT FROM verdigris.mask WHERE claim = $1', [claim]);
      return done.length > 0 ? 'masked' : { name: await migrationOwner(operator, roles.owner) };
    });
    if (owner === 'masked') return;
    const target = { client: operator, connection, owner: owner.name, lockTimeout: 0, statementTimeout: 0 };
    const mark = (client: Client): Promise<unknown> =>
      client.query('INSERT INTO verdigris.mask (claim) VALUES ($1)', [claim]);
    try {
      if ('sql' in how) {
        await withOwnerSession(target, (client) =>
          withTransaction(client, async () => {
            await client.query(`SET LOCAL role = ${literal(owner.name ?? 'none')}`);
            await client.query(how.sql);
            await asLogin(client, () => mark(client));
          }),
        );
        return;
      }
      const run = (login: ConnectionSettings): Promise<ShellResult> =>
        runShell(how.command, login, { limit: maskLimit, signal: new AbortController().signal }).ended;
      const { exitCode, output, timedOut } = await (owner.name === undefined
        ? run(connection)
        : withMigrationRole(target, run));
      if (timedOut) throw new Error(`not done after ${maskLimit / 3_600_000} h`);
      if (exitCode !== 0) throw new Error(`exit code ${exitCode ?? 'none'}\n${tail(output)}`);
      await mark(operator);
    } catch (cause) {
      throw new VerdigrisError('mask-failed', {
        seen: `The masking of the copy failed: ${describe(cause)}.`,
        required: 'a mask that succeeds: nobody may connect before it has.',
        next:
          'fix kubernetes.from.mask, or declare a roles.owner that may change what it masks; the same command continues ' +
          'from here, and until then nobody can log in.',
        cause,
      });
    }
  });
}
