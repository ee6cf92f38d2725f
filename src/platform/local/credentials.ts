import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { roleLogins, type LoginSecret, type RoleLogins } from '../../model/logins.ts';
import type { SecretSource } from '../../model/server-kinds.ts';
import { readSecret } from '../external/secret.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withRoutedSession } from '../../postgres/session.ts';
import { writeDurably } from '../../machine/durable.ts';
import type { CredentialStore, OwnCredentials } from '../port/credentials.ts';

/** A password alone, as `create` writes it, is the role's own. */
const stored = z.record(z.string(), z.union([z.string(), roleLogins]));

/** Login to password, of the roles that the declaration names: of each the one that clients are to use. */
export type Credentials = Readonly<Record<string, string>>;

/** A file that nobody but the operator may read. */
export class LocalCredentials implements CredentialStore {
  readonly own: OwnCredentials;
  readonly #file: string;
  readonly #sources: Readonly<Record<string, SecretSource>>;
  readonly #address: () => Promise<Omit<ConnectionSettings, 'user'>>;

  constructor(
    file: string,
    sources: Readonly<Record<string, SecretSource>>,
    address: () => Promise<Omit<ConnectionSettings, 'user'>>,
    own: OwnCredentials,
  ) {
    this.own = own;
    this.#file = file;
    this.#sources = sources;
    this.#address = address;
  }

  async read(role: string): Promise<RoleLogins | undefined> {
    const found = (await this.#all())[role];
    return typeof found === 'string' ? { current: { login: role, password: found } } : found;
  }

  async given(role: string): Promise<string | undefined> {
    const source = this.#sources[role];
    return source && readSecret(source);
  }

  async write(role: string, now: RoleLogins): Promise<void> {
    await writeDurably(this.#file, JSON.stringify({ ...(await this.#all()), [role]: now }));
  }

  /** The router asks the server: there is nothing to tell it. */
  async admit(_role: string, { login, password }: LoginSecret): Promise<void> {
    await withRoutedSession({ ...(await this.#address()), user: login, password }, 'rotate', () => Promise.resolve());
  }

  /** Of a new environment. */
  async begin(passwords: Credentials): Promise<void> {
    await writeDurably(this.#file, JSON.stringify(passwords));
  }

  async current(): Promise<Credentials> {
    const all = await this.#all();
    return Object.fromEntries(
      Object.entries(all).map(([role, known]) =>
        typeof known === 'string' ? [role, known] : [known.current.login, known.current.password],
      ),
    );
  }

  #all(): Promise<z.output<typeof stored>> {
    return readStored(this.#file);
  }
}

async function readStored(file: string): Promise<z.output<typeof stored>> {
  return stored.parse(JSON.parse(await readFile(file, 'utf8')));
}

/**
 * Login to password of the roles that were rotated: of each those that are let in, and that clients may have come in
 * with.
 */
export async function rotatedLogins(file: string): Promise<Credentials> {
  const all = await readStored(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return {};
    throw error;
  });
  return Object.fromEntries(
    Object.values(all)
      .filter((known) => typeof known !== 'string')
      .flatMap(({ before, current, next }) => [before, current, next])
      .flatMap((one) => (one ? [[one.login, one.password]] : [])),
  );
}
