import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { withExternalServer, type ExternalFixture } from '../../support/external.ts';
import { testMajor } from '../../support/postgres.ts';

/** Of this machine, and outside of the cluster for who is in it. */
export const machine = '10.245.0.1';

const reached = { listen_addresses: `127.0.0.1,${machine}` };

/** A server outside of the cluster, which pods of it reach. */
export async function outside(name: string, use: (server: ExternalFixture) => Promise<void>): Promise<void> {
  await withExternalServer(
    testMajor,
    async (server) => {
      await appendFile(path.join(server.data, 'pg_hba.conf'), 'host all all 0.0.0.0/0 scram-sha-256\n');
      await server.ctl('reload');
      await use(server);
    },
    { ...reached, cluster_name: name },
  );
}
