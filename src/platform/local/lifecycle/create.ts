import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { colours } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import { environmentInside, furtherDatabases } from '../../../model/further-databases.ts';
import { newCredentials } from '../../../model/credential-record.ts';
import { newJournal } from '../../../model/journal.ts';
import { parseJournal, serializeJournal } from '../../../model/journal-text.ts';
import { journalLost } from '../../../model/birth.ts';
import { fillServer } from '../../fill.ts';
import type { CreateOptions } from '../../port/lifecycle.ts';
import type { Credentials } from '../credentials.ts';
import { writeDurably } from '../../../machine/durable.ts';
import { leaseHolder } from '../../../machine/operator-name.ts';
import type { LocalParts } from '../parts.ts';
import { destroyLocal } from './destroy.ts';
import { recogniseOthers } from './recognise.ts';
import type { ExternalServer } from '../../external/server.ts';
import { declaredPasswords, writePasswords } from '../external-store.ts';
import { requireFitHome } from '../own-files.ts';
import { freePort } from '../ports.ts';
import { isRunning, launchRouter } from '../../../router/launch.ts';
import { readConfig } from '../../../router/config.ts';
import { recoverCommand } from '../recover-command.ts';
import { forClients } from '../client-settings.ts';

/**
 * Makes an environment from nothing: first colour, database, roles with passwords, the schema of its release, journal,
 * router. Where it exists already, starts what is down; says so by `created`.
 */
export async function createLocal(
  environment: Environment,
  platform: LocalParts,
  options: CreateOptions,
): Promise<{ created: boolean; credentials: Credentials }> {
  const lease = await platform.leases.acquire(leaseHolder('create'));
  try {
    if (!(await platform.journal.read()))
      return { created: true, credentials: await make(environment, platform, options) };
    await startEnvironment(environment, platform);
    return { created: false, credentials: await platform.credentials.current() };
  } finally {
    await lease.release();
  }
}

async function make(environment: Environment, platform: LocalParts, options: CreateOptions): Promise<Credentials> {
  const { live, name } = environment;
  const declared = environment.colours[live];
  if (!declared) throw new Error('a parsed declaration has its live colour');
  requireFitHome(platform.places.home);
  await refuseRemains(platform);
  const external = platform.servers.external(live);
  if (external) await examine(environment, external, options);
  else await platform.servers.supports(declared.postgres);
  const port = await freePort(environment.local.port);
  const given = await declaredPasswords(environment);
  const credentials = external ? given : newPasswords(environment, given);
  try {
    // First: by it whoever finds the rest knows what was being made.
    await writeDurably(platform.places.declaration, JSON.stringify(options.raw));
    if (external) await external.adopt(1);
    else {
      await platform.servers.local.initialize(live, declared.postgres, 1);
      await fillServer(environment, platform.servers, credentials, options.fill);
      for (const database of furtherDatabases(environment))
        await fillServer(environmentInside(environment, database), platform.servers, credentials);
    }
    await platform.credentials.begin(credentials);
    if (platform.outside) await platform.outside.create(live);
    else await launch(environment, platform, port);
    const made = newCredentials(environment, await platform.credentials.own.names());
    await platform.journal.write(
      0,
      serializeJournal({ ...newJournal(name, live, declared.release, randomUUID()), credentials: made }),
    );
  } catch (error) {
    // Half an environment is none: a dump that does not load leaves nothing running.
    await destroyLocal(platform);
    throw error;
  }
  return credentials;
}

function newPasswords({ roles }: Environment, given: Credentials): Credentials {
  return Object.fromEntries(
    [...roles.application, ...roles.readers].map((role) => [
      role,
      given[role] ?? randomBytes(12).toString('base64url'),
    ]),
  );
}

/** Of a server that exists, before anything is made on it. Its data are there. */
async function examine(environment: Environment, external: ExternalServer, { fill }: CreateOptions): Promise<void> {
  if (fill) throw external.notOurs('the filling of a new database');
  const uid = await external.environmentOf();
  if (uid === undefined) return;
  throw journalLost(environment.name, external.at, [{ what: `the database ${environment.database}`, uid }], {
    forget: 'where no environment uses it, run DROP SCHEMA verdigris CASCADE there, then the same command.',
  });
}

/** Servers without a journal are an environment that lost it, not one that was never made: their data is somebody's. */
async function refuseRemains(platform: LocalParts): Promise<void> {
  const found = await platform.remains();
  if (found.length === 0) return;
  throw journalLost(platform.environment, platform.places.root, found, {
    forget: 'run `verdigris destroy --yes`, then the same command.',
  });
}

/** Starts what is down of an environment that exists. A router that is started takes clients as is declared now. */
export async function startEnvironment(environment: Environment, platform: LocalParts): Promise<void> {
  await recogniseOthers(platform);
  for (const colour of colours) if (await platform.servers.observe(colour)) await platform.servers.start(colour);
  if (platform.outside) return startOutside(platform);
  const { router } = platform.places;
  if (await isRunning(router)) return;
  const { listen, tls: _, ...rest } = await readConfig(router);
  const port = environment.local.port || listen.port;
  const { limits, ...declared } = forClients(environment);
  const limited = { ...rest.limits, ...limits };
  await launchRouter(router, { ...rest, ...declared, limits: limited, listen: { ...listen, port } });
}

/** Made again where somebody deleted it; as the journal has it, and the next switchover moves it. */
async function startOutside({ outside, journal }: LocalParts): Promise<void> {
  const found = await journal.read();
  if (found && outside && !(await outside.status()).running)
    await outside.create(parseJournal(found.text, found.where).live);
}

export async function launch(environment: Environment, platform: LocalParts, port: number): Promise<void> {
  const { live } = environment;
  const folder = platform.places.router;
  await rm(folder, { recursive: true, force: true });
  const upstream = await platform.servers.upstream(live);
  if (!upstream) throw new Error('the live colour was just made');
  await writePasswords(environment, platform);
  await launchRouter(folder, {
    environment: environment.name,
    listen: { host: '127.0.0.1', port },
    readers: environment.roles.readers,
    ...forClients(environment),
    live,
    weights: { blue: live === 'blue' ? 100 : 0, green: live === 'green' ? 100 : 0 },
    upstreams: { [live]: upstream },
    recover: recoverCommand(platform.places),
  });
}
