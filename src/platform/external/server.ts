import { other, type Colour } from '../../model/colours.ts';
import { quoteConninfo } from '../../model/conninfo.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { operatorRole } from '../../model/names.ts';
import { newest } from '../../model/own-passwords.ts';
import { tlsOf, type ServerDeclaration } from '../../model/server-kinds.ts';
import { one } from '../../postgres/client.ts';
import type { ConnectionSettings, TlsSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { operatorLogin } from '../operator-login.ts';
import { otherGeneration } from '../other-generation.ts';
import type { AsBefore, EmptyOptions, ServerObservation } from '../port/servers.ts';
import type { Locale } from '../../postgres/create-like.ts';
import { readRoles } from '../../postgres/globals/before.ts';
import { asReader } from '../../postgres/readers.ts';
import { markColour, readEnvironment } from '../../postgres/token.ts';
import { isSilent, requireAnswer, waitForAnswer } from './answer.ts';
import { giveUp, readShapes } from './give-up.ts';
import { requireServer } from './pooler.ts';
import type { ExternalRecord, ExternalStore, OwnPasswords } from './record.ts';
import type { Upstream } from '../../router/config.ts';
import { whichColour } from './recognise.ts';
import { readSecret, secretName } from './secret.ts';
import { standardPort, standbyReads } from './standbys.ts';
import { examineStandby, takeOver } from './take-over.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsSettings;
}

/** A colour on a PostgreSQL that others run: reached by its address, never started, stopped, removed or copied. */
export class ExternalServer {
  readonly colour: Colour;
  /** Milliseconds that a server which others start has to answer; clients may be waiting. */
  protected readonly answerLimit: number = 15_000;
  readonly #environment: Environment;
  readonly #declared: ServerDeclaration;
  readonly #store: ExternalStore;
  readonly #passwords: () => Promise<OwnPasswords>;

  constructor(
    environment: Environment,
    colour: Colour,
    declared: ServerDeclaration,
    store: ExternalStore,
    passwords: () => Promise<OwnPasswords>,
  ) {
    this.colour = colour;
    this.#environment = environment;
    this.#declared = declared;
    this.#store = store;
    this.#passwords = passwords;
  }

  /** Where this machine reaches it. */
  reach(): Promise<ServerAddress> {
    return Promise.resolve(this.address);
  }

  /** Where clients and the other colour's server reach it. */
  get address(): ServerAddress {
    const { host = '', port = standardPort } = this.#declared;
    return { host, port, ...tlsOf(this.#declared) };
  }

  /** False where the declaration names the operator's own role and where its password is kept. */
  get ownsOperator(): boolean {
    const { user = operatorRole, password } = this.#declared;
    return user !== operatorRole || password === undefined;
  }

  async connection(): Promise<ConnectionSettings> {
    const { password } = this.#declared;
    const given = !this.ownsOperator && password !== undefined;
    return {
      ...(await this.reach()),
      user: operatorRole,
      database: 'postgres',
      ...(given
        ? { password: await readSecret(password) }
        : await operatorLogin(async () => (await this.#passwords()).operator)),
      passwordFrom: given ? secretName(password) : `the role ${operatorRole} that Verdigris made there`,
    };
  }

  async readerConnection(): Promise<ConnectionSettings> {
    return asReader(await this.connection());
  }

  /** As whom Verdigris gets in before it has a role of its own there. */
  async given(): Promise<ConnectionSettings> {
    const { user = operatorRole, password } = this.#declared;
    return {
      ...(await this.reach()),
      user,
      database: this.#environment.database,
      ...(password === undefined ? {} : { password: await readSecret(password), passwordFrom: secretName(password) }),
    };
  }

  /** Where the router finds it; undefined where it is no colour, or has no address any more. */
  async upstream(): Promise<Upstream | undefined> {
    if (!(await this.observe())) return undefined;
    const reach = await this.reach().catch((error: unknown) => {
      if (this.absence(error) === undefined) throw error;
      return undefined;
    });
    return reach && { ...reach, ...standbyReads(this.#environment, await this.readsAt()) };
  }

  /** Its standbys that readers may be sent to while a canary is under way. */
  protected readsAt(): Promise<readonly ServerAddress[]> {
    const { standbys = [] } = this.#declared;
    return Promise.resolve(standbys.map(({ host, port = standardPort }) => ({ host, port })));
  }

  async conninfo(): Promise<string> {
    const { host, port, tls } = this.address;
    const verified =
      tls === undefined || tls.mode === 'require' ? '' : ` sslrootcert=${quoteConninfo(this.#authorities ?? 'system')}`;
    const replication = newest((await this.#passwords()).replication);
    return `host=${host} port=${port} password=${replication} sslmode=${tls?.mode ?? 'disable'}${verified}`;
  }

  async observe(): Promise<ServerObservation | undefined> {
    const known = await this.#store.read();
    if (!known) return undefined;
    const found = await this.#ask().catch((error: unknown) => {
      if (this.absence(error) !== undefined) return undefined;
      throw error;
    });
    return { running: found !== undefined, ...known, version: found?.version ?? String(known.major) };
  }

  /** Uid of the environment that its database says it belongs to. */
  async environmentOf(): Promise<string | undefined> {
    const given = await this.given();
    return this.#reached(requireServer(given).then(() => withOwnSession(given, 'adopt', readEnvironment)));
  }

  /**
   * Where what is kept of it was lost: written down again, if it says itself that it is this colour of this environment.
   * Says whether it is. What its roles were before a release is known no more.
   */
  async recognise(generation: number, uid: string | undefined): Promise<boolean> {
    if (await this.#store.read()) return true;
    const own = { ...(await this.connection()), database: this.#environment.database };
    const found = await this.#reached(withOwnSession(own, 'adopt', (client) => whichColour(client, uid)));
    if (found?.colour !== this.colour) return false;
    await this.#store.write({ generation, major: found.major });
    return true;
  }

  /** Makes it the live colour of a new environment. */
  async adopt(generation: number): Promise<void> {
    await this.#take(generation);
  }

  /**
   * Makes it the candidate of a release, and keeps what its roles were. Its database is looked at by the seed, which
   * alone knows what it has put there itself.
   */
  async empty({ generation, like }: EmptyOptions): Promise<void> {
    await this.#take(generation, readRoles, like);
  }

  /** Makes it the candidate of a release as it is, a standby: nothing can be written there before it is promoted. */
  async follow({ generation }: EmptyOptions): Promise<void> {
    const known = await this.#store.read();
    if (known && known.generation > generation) throw otherGeneration(this.colour, generation, known.generation);
    const own = { ...(await this.connection()), database: this.#environment.database };
    const { major } = await this.#reached(examineStandby(this.#environment, this.colour, own));
    await this.#store.write({ generation, major });
  }

  /** Waits for it to answer. */
  start(): Promise<void> {
    return waitForAnswer(this, () => this.#ask(), this.answerLimit);
  }

  /**
   * Takes away what Verdigris made there, and says what stays. `asBefore`: it is a candidate that was given up, whose
   * roles are what they were before the release.
   */
  async remove(generation: number | undefined, asBefore?: AsBefore): Promise<string | undefined> {
    const known = await this.#store.read();
    if (!known) return undefined;
    if (known.generation !== generation) throw otherGeneration(this.colour, generation, known.generation);
    const left = await this.#takeAway(known, asBefore).catch((error: unknown) => {
      // Whoever runs it may have removed it. It was closed while it was no longer live, and stays so.
      const absent = this.absence(error);
      if (absent === undefined) throw error;
      return [absent];
    });
    await this.#store.write(undefined);
    return `left at ${this.at}: ${left.join('; ')}`;
  }

  /** Another primary of it may be about to answer: what is left there is waited for. */
  async #takeAway(known: ExternalRecord, asBefore: AsBefore | undefined): Promise<string[]> {
    await this.start().catch(() => undefined);
    const at = { ...(await this.connection()), database: this.#environment.database };
    const note = (filled: ExternalRecord['filled']) => this.#store.write({ ...known, filled });
    return giveUp({ environment: this.#environment, at, known, asBefore, note });
  }

  /** A file of the machine that the other colour's server runs on. */
  get #authorities(): string | undefined {
    const { ca, subscriberCa } = this.#declared;
    const elsewhere = this.#environment.colours[other(this.colour)]?.server?.kind === 'external';
    return subscriberCa ?? (elsewhere ? undefined : ca);
  }

  /** What of it stays, for people, where an error says that it is not to be had; undefined of any other error. */
  protected absence(error: unknown): string | undefined {
    return isSilent(error) ? 'everything: it does not answer' : undefined;
  }

  /** What only who has its data directory could do. */
  notOurs(what: string): VerdigrisError {
    return new VerdigrisError('external-server', {
      seen: `${this.colour} is the external server ${this.at}, and ${what} was asked for.`,
      required: 'a server that Verdigris runs.',
      next: 'ask whoever runs that server to do it; nothing was changed.',
      facts: { colour: this.colour },
    });
  }

  /** For people. */
  get at(): string {
    return `${this.address.host}:${this.address.port}`;
  }

  #reached<T>(work: Promise<T>): Promise<T> {
    return requireAnswer(this, work);
  }

  /** `read`: what is kept of its roles. Once it was taken they are closed: an attempt before this one has read them. */
  async #take(generation: number, read?: typeof readRoles, like?: Locale): Promise<void> {
    const known = await this.#store.read();
    if (known && known.generation > generation) throw otherGeneration(this.colour, generation, known.generation);
    const own = { ...(await this.connection()), database: this.#environment.database };
    // Taken before, it may be closed to everybody else.
    const inside = await withOwnSession(own, 'adopt', () => Promise.resolve(true)).catch(() => false);
    const { major } = await this.#reached(
      takeOver(this.#environment, this.colour, inside ? own : await this.given(), own, like),
    );
    const kept = known?.generation === generation ? known : undefined;
    const before = kept?.before ?? (read && (await withOwnSession(own, 'adopt', read)));
    const databases = kept?.databases ?? (read && (await readShapes(own, this.#environment)));
    await this.#store.write({ generation, major, ...(before ? { before } : {}), ...(databases ? { databases } : {}) });
    await withOwnSession(own, 'adopt', (client) => markColour(client, this.colour));
  }

  async #ask(): Promise<{ version: string }> {
    return withOwnSession(await this.connection(), 'observe', (client) =>
      one<{ version: string }>(client, "SELECT current_setting('server_version') AS version"),
    );
  }
}
