import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { colours, type Colour } from '../../../model/colours.ts';
import type { Environment } from '../../../model/environment.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import { version } from '../../../model/version.ts';
import { readFrom } from '../../../platform/local/log-file.ts';
import type { AnyPlatform } from '../../../platform/open.ts';
import { rows } from '../../../postgres/client.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { routerFiles } from '../../../router/config.ts';
import { readStatus } from '../status.ts';
import type { DoctorCheck } from './check.ts';
import { scrub, scrubLog } from './scrub.ts';
import { connectionIn } from '../../../platform/connection-in.ts';

/** Bytes of a log's end. */
const logEnd = 1024 ** 2;
/** A value shorter than this would take harmless words with it. */
const shortest = 6;

const readme = `A support bundle of Verdigris ${version}.

In it: what \`verdigris doctor\` saw, the status, the journal and the history, the declaration, settings of the servers that are not the
default, and the ends of the logs. Of exports only names and sizes.
Not in it: passwords, keys, verifiers, statements and values of rows, as far as they can be recognized. Look through it before you pass it on.
`;

interface BundleParts {
  readonly environment: Environment;
  readonly platform: AnyPlatform;
  /** As it was written. */
  readonly declaration: string;
  readonly checks: readonly DoctorCheck[];
}

/**
 * Writes a tar.gz of what somebody needs who is asked for help. What cannot be read says so in its place. Returns the
 * names.
 */
export async function writeBundle(file: string, parts: BundleParts): Promise<string[]> {
  const known = await knownSecrets(parts);
  const folder = await mkdtemp(path.join(tmpdir(), 'verdigris-bundle-'));
  const names: string[] = [];
  const add = async (name: string, content: () => Promise<string> | string, clean = scrub): Promise<void> => {
    const text = await Promise.resolve()
      .then(content)
      .catch((error: unknown) => `could not be read: ${describe(error)}`);
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), clean(text, known));
    names.push(name);
  };
  try {
    await add('README.txt', () => readme);
    await add('doctor.json', () => json(parts.checks));
    await add('declaration.yaml', () => parts.declaration);
    await add('status.json', async () => json(await readStatus(parts.environment, parts.platform)));
    await add('journal.json', async () => (await parts.platform.journal.read())?.text ?? 'there is none');
    await add('history.json', async () => json(await parts.platform.history.list()));
    for (const colour of colours) {
      if (!(await parts.platform.servers.observe(colour).catch(() => undefined))) continue;
      await add(`${colour}/settings.json`, async () => json(await settingsOf(parts, colour)));
    }
    await addLocal(parts.platform, add);
    const { create } = await import('tar');
    await create({ gzip: true, cwd: folder, file, portable: true, mode: 0o600 }, names);
    return names;
  } catch (cause) {
    throw new VerdigrisError('bundle-failed', {
      seen: `The bundle ${file} was not written: ${describe(cause)}.`,
      required: 'a folder that can be written to, with room.',
      next: 'name another file. Nothing was changed.',
      cause,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Add = (name: string, content: () => Promise<string> | string, clean?: typeof scrub) => Promise<void>;

/** Logs and settings that are files of this machine. */
async function addLocal(platform: AnyPlatform, add: Add): Promise<void> {
  if (platform.kind !== 'local') return;
  const { router, exports } = platform.places;
  const end = async (file: string): Promise<string> => (await readFrom(file, -logEnd)).text;
  for (const colour of colours)
    if (platform.servers.ownsStorage(colour) && (await platform.servers.observe(colour)))
      await add(`${colour}/server.log`, async () => end(await platform.servers.logFile(colour)), scrubLog);
  await add('router/router.json', () => readFile(routerFiles(router).config, 'utf8'));
  await add('router/router.log', () => end(routerFiles(router).log), scrubLog);
  const exported = await readdir(exports).catch(() => []);
  await add('exports.txt', async () =>
    (
      await Promise.all(exported.map(async (name) => `${name} ${(await stat(path.join(exports, name))).size} bytes`))
    ).join('\n'),
  );
}

/** Not those that name programs or other servers: there are passwords in those. */
async function settingsOf({ environment, platform }: BundleParts, colour: Colour): Promise<unknown> {
  const connection = await connectionIn(platform.servers, colour, environment.database);
  return withOwnSession(connection, 'doctor', (client) =>
    rows(
      client,
      `SELECT name, setting, unit, source FROM pg_settings WHERE source <> 'default' AND name !~ 'conninfo|command|pass' ORDER BY name`,
    ),
  );
}

/** Values that must not leave this machine, wherever they are: of the environment, and of whoever runs this. */
async function knownSecrets({ environment: { roles }, platform }: BundleParts): Promise<string[]> {
  const named = Object.entries(process.env).flatMap(([name, value]) =>
    /password|passwd|secret|token|key/i.test(name) && value !== undefined ? [value] : [],
  );
  return [...(await passwords(platform, [...roles.application, ...roles.readers])), ...named].filter(
    ({ length }) => length >= shortest,
  );
}

/** All that is or was good for a login. */
async function passwords(platform: AnyPlatform, roles: readonly string[]): Promise<string[]> {
  const kept = await Promise.allSettled(roles.map((role) => platform.credentials.read(role)));
  const logins = kept.flatMap((each) => {
    const { current, next, before } = (each.status === 'fulfilled' ? each.value : undefined) ?? {};
    return [current, next, before].flatMap((login) => login?.password ?? []);
  });
  return [...logins, ...(await ownPasswords(platform))];
}

async function ownPasswords(platform: AnyPlatform): Promise<string[]> {
  const { own } = platform.credentials;
  const names = await own.names();
  const kept = await Promise.allSettled([
    ...names.map(async (name) => {
      const { current, next, before } = await own.read(name);
      return [current, ...(next === undefined ? [] : [next]), ...before];
    }),
    ...(platform.kind === 'kubernetes' ? [platform.secrets.readersAgain()] : []),
  ]);
  return kept.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
