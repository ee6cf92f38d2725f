import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { LoginSecret } from '../../model/logins.ts';
import { newest, ownNames, ownPassword, type OwnName, type OwnPassword } from '../../model/own-passwords.ts';
import { objectNames, type Named } from '../../manifests/names.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Cluster, Stored } from './cluster.ts';

/** A password that Verdigris makes: 144 bits, in letters that need no quoting. */
export const randomPassword = (): string => randomBytes(18).toString('base64url');

/** Where each of Verdigris's own passwords is in the operator's Secret. */
export const ownKeys: Readonly<Record<OwnName, string>> = {
  operator: 'password',
  replication: 'replication-password',
  console: 'console-password',
};
/** What rotations have made of them, beside them. */
export const ownRotationsKey = 'own-rotations';
export const ownRotations = z.partialRecord(z.enum(ownNames), ownPassword.omit({ current: true }));
/** Of the reader's Secret, while one of the passwords that its own follow from is being changed. */
export const nextReaderKeys = { operator: 'password-next', console: 'console-password-next' } as const;

interface SecretObject extends Stored {
  readonly data?: Readonly<Record<string, string>>;
}

/** Passwords from the environment's Secrets, read once. */
export class Secrets {
  readonly #cluster: Cluster;
  readonly #environment: Named;
  readonly #refusedFor: number;
  readonly #read = new Map<string, Promise<SecretObject | undefined>>();

  /**
   * `refusedFor`: milliseconds until what could not be read is asked for once more. An exporter lives for months, and a
   * dashboard, which may not read the operator's Secret, looks every second.
   */
  constructor(cluster: Cluster, environment: Named, refusedFor = 10_000) {
    this.#cluster = cluster;
    this.#environment = environment;
    this.#refusedFor = refusedFor;
  }

  async operator(): Promise<string> {
    return (await this.own('operator')).current;
  }

  async replication(): Promise<string> {
    return newest(await this.own('replication'));
  }

  async console(): Promise<string> {
    return newest(await this.own('console'));
  }

  /** One of Verdigris's own passwords, with what a rotation has made of it. */
  async own(name: OwnName): Promise<OwnPassword> {
    const secret = objectNames.operatorSecret(this.#environment.name);
    const current = await this.#value(secret, ownKeys[name]);
    const kept = await this.#optional(secret, ownRotationsKey);
    const known = kept === undefined ? undefined : ownRotations.parse(JSON.parse(kept))[name];
    return { before: [], ...known, current };
  }

  /** As it is now, whatever was read before. */
  ownAgain(name: OwnName): Promise<OwnPassword> {
    this.forget(objectNames.operatorSecret(this.#environment.name));
    return this.own(name);
  }

  reader(): Promise<string> {
    return this.#value(objectNames.readerSecret(this.#environment.name), 'password');
  }

  /** Of who sees what the poolers' consoles show. */
  consoleReader(): Promise<string> {
    return this.#value(objectNames.readerSecret(this.#environment.name), ownKeys.console);
  }

  /** As it is now, and the one that a rotation is about to make of it. `of`: which one it follows from. */
  async readersAgain(of: keyof typeof nextReaderKeys = 'operator'): Promise<string[]> {
    const name = objectNames.readerSecret(this.#environment.name);
    this.forget(name);
    const next = await this.#optional(name, nextReaderKeys[of]);
    return [await this.#value(name, ownKeys[of]), ...(next === undefined ? [] : [next])];
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
  rotations(): Promise<string | undefined> {
    return this.#optional(objectNames.operatorSecret(this.#environment.name), 'rotations');
  }

  /** Of a Secret that was written meanwhile; of all without a name. */
  forget(name?: string): void {
    if (name === undefined) this.#read.clear();
    else this.#read.delete(name);
  }

  /** Undefined where the Secret, or the key in it, is not there. */
  async #optional(name: string, key: string): Promise<string | undefined> {
    const value = (await this.#secret(name))?.data?.[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
  }

  /** Only an entry that is there is remembered: one that was missing may be made meanwhile. */
  async #value(name: string, key: string): Promise<string> {
    const secret = await this.#secret(name);
    const value = secret?.data?.[key];
    if (value !== undefined) return Buffer.from(value, 'base64').toString();
    this.#read.delete(name);
    throw missing(this.#cluster, name, key, secret);
  }

  /** One reading for all who ask at once. */
  #secret(name: string): Promise<SecretObject | undefined> {
    const known = this.#read.get(name);
    if (known) return known;
    const reading = this.#cluster.read<SecretObject>('Secret', name);
    this.#read.set(name, reading);
    const forget = (): void => void (this.#read.get(name) === reading && this.#read.delete(name));
    reading.then(
      (secret) => secret ?? forget(),
      () => setTimeout(forget, this.#refusedFor).unref(),
    );
    return reading;
  }
}

/** All that a Secret has; undefined where there is none. */
export async function secretValues(cluster: Cluster, name: string): Promise<Record<string, string> | undefined> {
  const secret = await cluster.read<SecretObject>('Secret', name);
  return (
    secret &&
    Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    )
  );
}

/** The value of a key of a Secret that somebody else made. */
export async function secretValue(cluster: Cluster, name: string, key: string): Promise<string> {
  const secret = await cluster.read<SecretObject>('Secret', name);
  const value = secret?.data?.[key];
  if (value === undefined) throw missing(cluster, name, key, secret);
  return Buffer.from(value, 'base64').toString();
}

function missing({ namespace }: Cluster, name: string, key: string, secret: SecretObject | undefined): VerdigrisError {
  const keys = Object.keys(secret?.data ?? {}).join(', ') || 'none';
  return new VerdigrisError('secret-key-missing', {
    seen: `The Secret ${namespace}/${name} ${secret ? `has no key ${key}; it has ${keys}` : 'is not there'}.`,
    required: `the key ${key} in it.`,
    next: "put it back (docs/errors.md says where a password of Verdigris's own is found); nothing was changed.",
  });
}
