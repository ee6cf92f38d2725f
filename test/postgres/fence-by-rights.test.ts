import { expect, test } from 'vitest';
import type { Server } from '../../src/platform/local/server.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { fenceServer, unclosable, unfence } from '../../src/postgres/fence.ts';
import { readGlobals } from '../../src/postgres/globals/read.ts';
import { reservedRole, withManaged } from '../support/managed.ts';
import { connectionTo } from '../support/postgres.ts';

/** `app` is the operator's own, `guest` the service's: the operator may not alter it. */
async function withRoles(use: (operator: Client, server: Server, reserved: Client) => Promise<void>): Promise<void> {
  await withManaged(async (operator, server, reserved) => {
    await ensureControlSchema(operator);
    await operator.query('CREATE ROLE app LOGIN; CREATE TABLE public.t (x int); GRANT INSERT ON public.t TO app');
    await reserved.query('CREATE ROLE guest LOGIN; GRANT INSERT ON public.t TO guest');
    await use(operator, server, reserved);
  });
}

const letIn = (server: Server, user: string) =>
  withOwnSession(connectionTo(server, 'shop', user), 'test', () => Promise.resolve('let in')).catch(
    (error: Error) => error.message,
  );

const rights = (client: Client) =>
  rows(
    client,
    `SELECT rolname, rolcanlogin, has_database_privilege(oid, 'shop', 'CONNECT') AS connect FROM pg_roles
    WHERE rolname !~ '^pg_' ORDER BY 1`,
  );

test('without a superuser the fence closes by NOLOGIN and else by CONNECT, names whom neither closes, and nothing is closed until he is accepted', async () => {
  await withRoles(async (operator, server, reserved) => {
    const before = await rights(reserved);
    expect(await unclosable(operator)).toEqual([
      { role: reservedRole, why: 'a superuser, whom only a superuser closes' },
    ]);
    await expect(fenceServer(operator, 1, 10_000)).rejects.toMatchObject({
      ...{ id: 'fence-open', code: 'refused', facts: { roles: [{ role: reservedRole }] } },
    });
    expect(await rights(reserved)).toEqual(before);

    await operator.query("ALTER ROLE app PASSWORD 'secret'; GRANT CONNECT ON DATABASE shop TO app WITH GRANT OPTION");
    const globals = await readGlobals(operator);
    expect([...globals.keys()].filter((key) => key.includes('"password"'))).toEqual(['["unread","password"]']);

    await withOwnSession(connectionTo(server, 'shop', 'guest'), 'writer', async (writer) => {
      const ended = new Promise((resolve) => writer.on('error', resolve));
      await fenceServer(operator, 1, 10_000, [reservedRole]);
      await ended;
    });
    // Nothing of the fence is carried to the other side.
    expect(await readGlobals(operator)).toEqual(globals);
    expect(await letIn(server, 'app')).toContain('not permitted to log in');
    expect(await letIn(server, 'guest')).toContain('permission denied for database');
    // Accepted: he is let in, and his session is left alone.
    expect(await rows(reserved, 'SELECT 1 AS here')).toEqual([{ here: 1 }]);

    await unfence(operator, 1);
    expect(await letIn(server, 'app')).toBe('let in');
    expect(await letIn(server, 'guest')).toBe('let in');
    expect(await readGlobals(operator)).toEqual(globals);
    expect(await rights(reserved)).toEqual(before);
  });
});

test('a role that is made and given CONNECT while the fence closes does not slip through', async () => {
  await withRoles(async (operator, server, reserved) => {
    const names: string[] = [];
    let on = true;
    const maker = (async () => {
      while (on) {
        const made = await reserved
          .query(`CREATE ROLE late_${names.length} LOGIN; GRANT CONNECT ON DATABASE shop TO late_${names.length}`)
          .then(
            () => true,
            // Both write the database's row.
            (error: Error) => !error.message.includes('concurrently'),
          );
        if (made) names.push(`late_${names.length}`);
        if (names.length > 40) on = false;
      }
    })();
    await fenceServer(operator, 1, 10_000, [reservedRole]).catch((error: { id?: string }) => {
      // The service's own superuser goes on giving CONNECT behind our back: then it is said.
      expect(['fence-open', 'fence-leaks']).toContain(error.id);
    });
    on = false;
    await maker;
    await fenceServer(operator, 1, 10_000, [reservedRole]);
    for (const name of names) expect(await letIn(server, name)).toMatch(/permission denied|not permitted/);
  });
});
