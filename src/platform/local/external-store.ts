import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { isDeepStrictEqual } from 'node:util';
import { colours, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { operatorRole } from '../../model/names.ts';
import { newest, ownPassword, type OwnPassword } from '../../model/own-passwords.ts';
import { externalSchema, type ExternalStore, type OwnPasswords } from '../external/record.ts';
import { readSecret } from '../external/secret.ts';
import { routerFiles } from '../../router/config.ts';
import { syncFolder, writeDurably } from '../../machine/durable.ts';
import { passwordsSchema, type PasswordsFile } from '../../router/passwords.ts';
import type { Servers } from '../port/servers.ts';
import { rotatedLogins } from './credentials.ts';
import type { Places } from './places.ts';

/** As it was made first, it is the password alone. */
const kept = z.union([z.string().transform((current) => ({ current, before: [] })), ownPassword]);
const ownSchema = z.strictObject({ operator: kept, replication: kept });

/** A file a colour, in the environment's folder. */
export function externalStore(places: Places, colour: Colour): ExternalStore {
  const file = path.join(places.external, `${colour}.json`);
  return {
    async read() {
      const text = await readText(file);
      return text === undefined ? undefined : externalSchema.parse(JSON.parse(text));
    },
    async write(record) {
      await mkdir(places.external, { recursive: true, mode: 0o700 });
      if (record) return void (await writeDurably(file, JSON.stringify(record)));
      await rm(file, { force: true });
      await syncFolder(places.external);
    },
  };
}

/** Those that are there, else new ones, which are durable before anybody is given them. */
export async function ownPasswords(places: Places): Promise<OwnPasswords> {
  const file = ownPasswordsFile(places);
  const text = await readText(file);
  if (text !== undefined) return ownSchema.parse(JSON.parse(text));
  const [operator = '', replication = ''] = [24, 24].map((bytes) => randomBytes(bytes).toString('base64url'));
  const made = { operator: { current: operator, before: [] }, replication: { current: replication, before: [] } };
  await mkdir(places.external, { recursive: true, mode: 0o700 });
  await writeDurably(file, JSON.stringify(made));
  return made;
}

export async function keepOwnPassword(places: Places, name: keyof OwnPasswords, password: OwnPassword): Promise<void> {
  const now = { ...(await ownPasswords(places)), [name]: password };
  await writeDurably(ownPasswordsFile(places), JSON.stringify(now));
}

export function ownPasswordsFile(places: Places): string {
  return path.join(places.external, 'passwords.json');
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** What roles have for a password on servers that others run, as far as it is declared. */
export async function declaredPasswords({ local }: Environment): Promise<Record<string, string>> {
  const found = await Promise.all(
    Object.entries(local.passwords).map(async ([role, source]) => [role, await readSecret(source)] as const),
  );
  return Object.fromEntries(found);
}

/** By colour: somebody else may have made the role there, with a password of his. */
async function operatorPasswords(
  places: Places,
  servers: Pick<Servers, 'ownsStorage' | 'connection'>,
): Promise<PasswordsFile> {
  const own = newest((await ownPasswords(places)).operator);
  const found = colours
    .filter((colour) => !servers.ownsStorage(colour))
    .map(async (colour) => {
      const { password, others } = await servers.connection(colour);
      return [colour, others ? own : (password ?? '')] as const;
    });
  return { [operatorRole]: Object.fromEntries(await Promise.all(found)) };
}

/**
 * Gives the router the passwords by which it carries sessions over to servers that ask for one: of every login that
 * clients may have come in with. Whatever cannot be read now, as by a recovery that nobody called, stays as it was.
 */
export async function writePasswords(
  environment: Environment,
  { places, servers }: { readonly places: Places; readonly servers: Pick<Servers, 'ownsStorage' | 'connection'> },
): Promise<void> {
  if (colours.every((colour) => servers.ownsStorage(colour))) return;
  const file = routerFiles(places.router).passwords;
  const before = passwordsSchema.parse(JSON.parse((await readText(file)) ?? '{}'));
  const declared = await declaredPasswords(environment).catch(() => ({}));
  const operator = await operatorPasswords(places, servers).catch(() => ({}));
  const now = { ...before, ...declared, ...(await rotatedLogins(places.credentials)), ...operator };
  if (isDeepStrictEqual(before, now)) return;
  await mkdir(places.router, { recursive: true, mode: 0o700 });
  await writeDurably(file, JSON.stringify(now));
}
