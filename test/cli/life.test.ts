import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { operatorRole } from '../../src/platform/local/server.ts';
import { withClient } from '../../src/postgres/session.ts';
import { main, withCli } from '../support/cli.ts';
import { lifeBlocks } from '../support/life.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

/** With pg_dump and pg_restore, which the PostgreSQL from npm has not. */
const system = 15;

test('docs/life.md by the letter, on this machine: a dump of another server, three releases with a rollback, and the end', async () => {
  await withServer(
    async (old) => {
      await withClient(connectionTo(old), 'test', (client) => client.query(contents));
      await withCli(async ({ folder, home }) => {
        await rm(path.join(folder, 'verdigris.yaml'));
        const bin = path.join(folder, 'bin');
        await mkdir(bin);
        await writeFile(path.join(bin, 'verdigris'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
          mode: 0o755,
        });
        const env = {
          VERDIGRIS_HOME: home,
          OLD_DATABASE: `host=${old.sockets} port=${old.port} user=${operatorRole} dbname=postgres`,
          NO_COLOR: '1',
          PATH: `${bin}:${old.binaries.bin}:${process.env['PATH'] ?? ''}`,
        };
        const said = new Map<string, string>();
        for (const block of lifeBlocks('On this machine')) {
          if (block.kind === 'file') {
            const file = path.join(folder, block.name);
            await mkdir(path.dirname(file), { recursive: true });
            await writeFile(file, block.text);
            continue;
          }
          const { exitCode, stdout, stderr } = await execa('bash', ['-euo', 'pipefail', '-c', block.text], {
            cwd: folder,
            env,
            reject: false,
            stdin: 'ignore',
          });
          expect(exitCode, `${block.text}\n${stdout}\n${stderr}`).toBe(0);
          said.set(block.text, stdout);
          if (block.text.startsWith('verdigris psql'))
            expect((await as(folder, env, 'app', 'SELECT sum(amount) FROM orders')).stdout).toContain('42');
          if (block.text.includes('verdigris status'))
            expect(stdout).toMatch(/^shop is switched.*a rollback loses nothing/);
        }
        const history = [...said].find(([text]) => text.includes('verdigris history'))?.[1];
        expect(history).toMatch(/1 → 2 +released[^]*2 → 3 +released[^]*3 → 4 +released/);
      });
    },
    {},
    system,
  );
});

const contents = `CREATE TABLE orders (id int PRIMARY KEY, amount int NOT NULL); INSERT INTO orders VALUES (1, 40), (2, 2);
  CREATE ROLE somebody; ALTER TABLE orders OWNER TO somebody; GRANT SELECT ON orders TO somebody;
  CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(amount) FROM public.orders'`;

function as(cwd: string, env: Record<string, string>, role: string, sql: string) {
  return execa(process.execPath, [main, 'psql', '--as', role, '-c', sql], { cwd, env, stdin: 'ignore' });
}
