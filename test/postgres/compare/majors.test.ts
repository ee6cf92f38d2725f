import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { serverAccount } from '../../../src/platform/local/account.ts';
import { testBinaries } from '../../support/binaries.ts';
import { initServer, removeServer, startServer, type Server } from '../../../src/platform/local/server.ts';
import { connectionTo, temporaryFolder } from '../../support/postgres.ts';
import { account, between } from './support.ts';
import { subtle, types } from './values.ts';
import { freePort } from '../../../src/platform/local/ports.ts';

const majors = [15, 17];
const found = await Promise.all(majors.map((major) => testBinaries(major).catch(() => undefined)));

test.skipIf(found.includes(undefined))(
  'equal data of two majors is equal, and every subtle difference is seen',
  async () => {
    const folder = await temporaryFolder();
    const serverOf = async (index: number): Promise<Server> => ({
      binaries: found[index] as NonNullable<(typeof found)[number]>,
      account: await serverAccount(),
      directory: path.join(folder, `${majors[index]}`),
      sockets: path.join(folder, `s${majors[index]}`),
      port: await freePort(),
    });
    const [older, newer] = [await serverOf(0), await serverOf(1)];
    try {
      for (const server of [older, newer]) {
        await initServer(server, { wal_level: 'logical', fsync: 'off' });
        await startServer(server);
      }
      await between(
        connectionTo(older),
        connectionTo(newer),
        () => Promise.resolve(),
        async ({ live, candidate, compare }) => {
          const cases = subtle.filter(([type]) => !type.includes('caseless'));
          const columns = cases.map(([type], index) => `c${index} ${type}`).join(', ');
          for (const side of [live, candidate]) {
            await side.query(types.replace(/CREATE COLLATION[^;]*;/, ''));
            await side.query(`CREATE TABLE t (id int PRIMARY KEY, k text UNIQUE, ${columns})`);
            await side.query(
              `INSERT INTO t VALUES (0, 'é', ${cases.map((_, index) => `$${index + 1}`).join(', ')})`,
              cases.map(([, value]) => value),
            );
            await side.query(
              `INSERT INTO t SELECT n, n, ${cases.map((_, index) => `c${index}`).join(', ')} FROM t, generate_series(1, ${cases.length}) n`,
            );
          }
          expect(account(await compare())).toEqual([]);
          for (const [index, [, , other]] of cases.entries())
            await candidate.query(`UPDATE t SET c${index} = $1 WHERE id = ${index + 1}`, [other]);
          expect(account(await compare())).toEqual([`public.t different ${cases.length} 1 c0`]);
        },
      );
    } finally {
      for (const server of [older, newer]) await removeServer(server);
      await rm(folder, { recursive: true, force: true });
    }
  },
  120_000,
);
