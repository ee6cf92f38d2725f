import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../../../model/environment.ts';
import { newJournal } from '../../../model/journal.ts';
import { serializeJournal } from '../../../model/journal-text.ts';
import { withBackupMode } from '../../../postgres/backup.ts';
import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { forgetTokens } from '../../../postgres/token.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { parkedPosition } from '../../../postgres/position.ts';
import { turnLock } from '../../../postgres/hba-lock.ts';
import { promoteServer } from '../../../postgres/promote.ts';
import { setLogins } from '../../../postgres/logins.ts';
import type { PlatformClone } from '../../port/platform.ts';
import { launch } from './create.ts';
import { writeDurably } from '../../../machine/durable.ts';
import type { LocalParts } from '../parts.ts';
import { freePort } from '../ports.ts';
import { ownIdentity } from '../../../machine/process.ts';
import { connectionIn } from '../../connection-in.ts';
import { makeFolder } from '../../../machine/folder.ts';

export interface LocalClone extends PlatformClone {
  readonly platform: LocalParts;
  /** Of its live colour. */
  readonly serverLog: string;
}

/**
 * A throw-away environment whose live colour is a copy of another's, taken now. The original must have a slot that is
 * older than this call, as every release under way has: it keeps the log that the copy needs.
 */
export async function cloneLocal(
  environment: Environment,
  original: LocalParts,
  signal: AbortSignal,
): Promise<LocalClone> {
  const name = `drill-${createHash('sha256').update(`${environment.name} ${Date.now()}`).digest('hex').slice(0, 8)}`;
  const { live, database, roles } = environment;
  // Tests are run on clones; a clone runs none itself.
  const colours = Object.fromEntries(
    Object.entries(environment.colours).map(([colour, { test: _, ...rest }]) => [colour, rest]),
  );
  // Its router serves this machine's own clients alone.
  const { tls: __, ...local } = environment.local;
  const copy: Environment = {
    ...environment,
    name,
    colours,
    journal: undefined,
    local: { ...local, port: 0 },
  };
  await original.tidy();
  // Before anything else: a maker who is killed leaves a name by which the next command finds what he left.
  await mkdir(original.places.clones, { recursive: true, mode: 0o700 });
  await writeDurably(path.join(original.places.clones, name), JSON.stringify(await ownIdentity()));
  const platform = await original.sibling(copy);
  const destroy = () => original.removeClone(name);
  try {
    const source = await connectionIn(original.servers, live, database);
    await withOwnSession(source, 'drill', (client) =>
      original.servers.snapshot(
        live,
        name,
        (work) => withBackupMode(client, name, work),
        () => undefined,
      ),
    );
    await makeFolder(platform.places.snapshots, 0o711);
    await rename(original.places.snapshot(name), platform.places.snapshot(name));
    await platform.servers.restore(live, name, { generation: 1, consume: true, onBytes: () => undefined });
    const password = randomBytes(12).toString('base64url');
    await withOwnSession(await connectionIn(platform.servers, live, database), 'drill', async (client) => {
      await parkedPosition(client, environment.limits.catchUp, signal);
      await promoteServer(client, signal);
      await cleanCopy(client);
      await forgetTokens(client);
      for (const role of [...roles.application, ...roles.readers])
        await setLogins(client, role, { login: role, password }, undefined);
      await turnLock(client, 'open');
    });
    await platform.servers.unpark(live);
    const port = await freePort();
    await launch(copy, platform, port);
    await platform.journal.write(
      0,
      serializeJournal(newJournal(name, live, environment.colours[live]?.release ?? '', randomUUID())),
    );
    return {
      environment: copy,
      platform,
      destroy,
      serverLog: path.join(platform.places.server(live, 1), 'server.log'),
      as: (user) => ({ host: '127.0.0.1', port, user, password, database }),
    };
  } catch (error) {
    await destroy();
    throw error;
  }
}
