import { randomBytes } from 'node:crypto';
import type { LoginSecret } from '../../model/logins.ts';
import { objectNames, type Named } from '../../manifests/names.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Cluster, Stored } from './cluster.ts';

/** A password that Verdigris makes: 144 bits, in letters that need no quoting. */
export const randomPassword = (): string => randomBytes(18).toString('base64url');

interface SecretObject extends Stored {
  readonly data?: Readonly<Record<string, string>>;
}

/** Passwords from the environment's Secrets, read once. */
export class Secrets {
  readonly #cluster: Cluster;
  readonly #environment: Named;
  readonly #read = new Map<string, Promise<SecretObject | undefined>>();

  constructor(cluster: Cluster, environment: Named) {
    this.#cluster = cluster;
    this.#environment = environment;
  }

  operator(): Promise<string> {
    return this.#value(objectNames.operatorSecret(this.#environment.name), 'password');
  }

  replication(): Promise<string> {
    return this.#value(objectNames.operatorSecret(this.#environment.name), 'replication-password');
  }

  console(): Promise<string> {
    return this.#value(objectNames.operatorSecret(this.#environment.name), 'console-password');
  }

  reader(): Promise<string> {
    return this.#value(objectNames.readerSecret(this.#environment.name), 'password');
  }

  async role(role: string): Promise<string> {
    return (await this.login(role)).password;
  }

  /** What clients of a role log in with. */
  async login(role: string): Promise<LoginSecret> {
    const name = objectNames.roleSecret(this.#environment.name, role);
    return { login: await this.#value(name, 'username'), password: await this.#value(name, 'password') };
  }

  /** What rotations have made of the roles' logins, as text; undefined where there was none. */
  async rotations(): Promise<string | undefined> {
    const name = objectNames.operatorSecret(this.#environment.name);
    await this.#value(name, 'password');
    const value = (await this.#read.get(name))?.data?.['rotations'];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
  }

  /** Of a Secret that was written meanwhile. */
  forget(name: string): void {
    this.#read.delete(name);
  }

  /** Only an entry that is there is remembered: a Secret that was missing may be made meanwhile. */
  async #value(name: string, key: string): Promise<string> {
    const reading = this.#read.get(name) ?? this.#cluster.read<SecretObject>('Secret', name);
    this.#read.set(name, reading);
    const value = (await reading)?.data?.[key];
    if (value !== undefined) return Buffer.from(value, 'base64').toString();
    this.#read.delete(name);
    throw missing(this.#cluster, name, key, await reading);
  }
}

/** The value of a key of a Secret that somebody else made. */
export async function secretValue(cluster: Cluster, name: string, key: string): Promise<string> {
  const secret = await cluster.read<SecretObject>('Secret', name);
  const value = secret?.data?.[key];
  if (value === undefined) throw missing(cluster, name, key, secret);
  return Buffer.from(value, 'base64').toString();
}

function missing({ namespace }: Cluster, name: string, key: string, secret: SecretObject | undefined): VerdigrisError {
  return new VerdigrisError('secret-key-missing', {
    seen: `The Secret ${namespace}/${name} ${secret ? `has no key ${key}; it has ${Object.keys(secret.data ?? {}).join(', ') || 'none'}` : 'is not there'}.`,
    required: `the key ${key} in it.`,
    next: 'put it there: nobody else knows the password; nothing was changed.',
  });
}
