import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { serverPid } from '../../../src/platform/local/server.ts';
import { withBackupMode } from '../../../src/postgres/backup.ts';
import { withEnvironment } from '../../support/environment.ts';

/** As proc_pid_stat(5) has it, field 19. */
async function niceOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]);
}

test('a parked copy recovers with a lower priority than the live server, and serves with the same', async () => {
  await withEnvironment({}, async ({ operator, platform, on }) => {
    const nice = async (colour: 'blue' | 'green') =>
      niceOf(await serverPid({ directory: platform.places.server(colour, colour === 'blue' ? 1 : 2) }));
    const usual = await nice('blue');
    await on('blue', (client) => client.query("SELECT pg_create_physical_replication_slot('quiet', true)"));
    await operator(async (c) => {
      await c.on('blue', (client) =>
        c.platform.servers.snapshot(
          'blue',
          'quiet',
          (copy) => withBackupMode(client, 'quiet', copy),
          () => undefined,
        ),
      );
      await c.platform.servers.restore('green', 'quiet', { generation: 2, consume: true, onBytes: () => undefined });
    });
    expect([usual, await nice('green')]).toEqual([usual, Math.min(19, usual + 10)]);
    await on('green', (client) => client.query('SELECT pg_promote(true, 60)'));
    await platform.servers.unpark('green');
    expect(await nice('green')).toBe(usual);
  });
});
