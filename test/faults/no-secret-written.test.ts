import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withOperator } from '../../src/operations/operator.ts';
import { drill } from '../../src/operations/proofs/drill.ts';
import { rotateRole } from '../../src/operations/verbs/rotate.ts';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';

/** Where a platform keeps logins on purpose; nobody but the operator may read it. */
const kept = /\/credentials\.json$/;

/**
 * What a server keeps of roles, and what it wrote of that to its log of changes: verifiers, by PostgreSQL's own design.
 */
const data = /\/(data|snapshots|binaries)\//;

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

test(
  'with everything logged, no verb leaves a password or verifier in a log, journal, history, report or command line',
  { timeout: 900_000 },
  async () => {
    const settings = { log_statement: 'all', log_min_duration_statement: '0', log_connections: 'on' };
    await withEnvironment({ settings }, async ({ environment, platform, verb, on, credentials, home, events }) => {
      const secrets = new Set(Object.values(credentials));
      const commandLines = new Set<string>();
      let watching = true;
      const watched = (async () => {
        for (; watching; await delay(300))
          for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
            const file = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
            commandLines.add(`${await file('cmdline')} ${await file('environ')}`);
          }
      })();
      const signal = new AbortController().signal;
      const parts = {
        environment,
        platform,
        signal,
        emit: (event: (typeof events)[number]) => void events.push(event),
      };
      const rotate = async (atOnce: boolean): Promise<void> => {
        for (const role of ['shop_app', 'shop_reader']) {
          await withOperator(parts, 'rotate', (c) => rotateRole(c, role, { atOnce, grace: 3_600_000 }));
          const { current } = (await platform.credentials.read(role)) ?? {};
          if (current) secrets.add(current.password);
        }
      };
      try {
        for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
        await rotate(false);
        await verb('switch');
        await rotate(true);
        await verb('rollback');
        await verb('abandon');
        await drill(parts);
      } finally {
        watching = false;
        await watched;
      }
      const verifiers = await on(environment.live, (client) =>
        rows<{ verifier: string }>(
          client,
          'SELECT rolpassword AS verifier FROM pg_authid WHERE rolpassword IS NOT NULL',
        ),
      );
      expect(secrets.size).toBe(6);
      expect(verifiers.length).toBeGreaterThanOrEqual(2);
      for (const { verifier } of verifiers) secrets.add(verifier);
      const files = (await filesBelow(home)).filter((file) => !data.test(file) && !kept.test(file));
      const logs = files.filter((file) => file.endsWith('.log'));
      expect(logs.length).toBeGreaterThan(0);
      // The logs do say what was done.
      expect((await Promise.all(logs.map((file) => readFile(file, 'utf8')))).join('')).toContain('CREATE PUBLICATION');
      const found: string[] = [];
      for (const file of files) {
        const text = await readFile(file, 'latin1');
        for (const secret of secrets) if (text.includes(secret)) found.push(`a password in ${file}`);
      }
      for (const text of [...commandLines, JSON.stringify(events)])
        for (const secret of secrets) if (text.includes(secret)) found.push(`a password: ${text.slice(0, 100)}`);
      expect(found).toEqual([]);
    });
  },
);
