import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { authorityFile, serviceHost } from '../../../manifests/certificates.ts';
import { objectNames } from '../../../manifests/names.ts';
import { consolePasswordFile } from '../../../manifests/guard-container.ts';
import { readersDatabase } from '../../../manifests/pooler-settings.ts';
import { readSealed } from '../../../machine/sealed.ts';
import { parseEnvironment } from '../../../model/environment.ts';
import { guard } from './guard.ts';
import { Standby } from './standby.ts';

/** The guard's process, in a container beside a pooler: `main.ts <declaration> <file that each look touches>`. */
const [declaration = '', looked = ''] = process.argv.slice(2);
const environment = parseEnvironment(JSON.parse((await readSealed(declaration)).toString('utf8')), declaration);
const host = serviceHost(environment, objectNames.pooler(environment.name));
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort()).once('SIGINT', () => stop.abort());
/** Milliseconds until a recovery that hangs is ended. */
const recoverLimit = 60_000;
const standby = new Standby(
  [
    process.execPath,
    fileURLToPath(new URL('../../../operations/guard/main.ts', import.meta.url)),
    declaration,
    process.env['POD_NAME'] ?? '',
  ],
  recoverLimit,
  stop.signal,
);
await guard({
  console: {
    host: '127.0.0.1',
    port: 6432,
    // This pod was made with it, whatever is declared by now.
    ...(existsSync(authorityFile) ? { tls: { mode: 'verify-full', ca: authorityFile, servername: host } } : {}),
  },
  password: () => readFile(consolePasswordFile, 'utf8'),
  databases: [environment.database, readersDatabase(environment.database)],
  recover: (gone) => standby.act(gone === undefined ? {} : { gone }),
  log: pino({ base: { environment: environment.name } }),
  signal: stop.signal,
  onLook: () => writeFile(looked, ''),
});
