import type { Colour } from '../../model/colours.ts';
import { other } from '../../model/colours.ts';
import type { Finding } from '../../model/finding.ts';
import type { Environment } from '../../model/environment.ts';
import { environmentInside, furtherDatabases } from '../../model/further-databases.ts';
import { carriedDatabases } from '../../model/journal-inside.ts';
import type { Journal } from '../../model/journal.ts';
import { leaseLost } from '../../model/failures.ts';
import type { Lease } from '../../platform/port/leases.ts';
import type { Platform } from '../../platform/port/platform.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { isSameCut } from '../../postgres/part/cut.ts';
import type { Lens } from '../../postgres/part/lens.ts';
import { readPart } from '../../postgres/part/read.ts';
import { withOwnSession } from '../../postgres/session.ts';
import type { Emit } from '../../model/events.ts';
import type { Ledger } from './ledger.ts';
import { partChanged, partOf, tablesAt, viewOf, type View } from './part.ts';
import { Renewal } from './renewal.ts';
import { Sessions } from './sessions.ts';

/** What every step gets: the declaration, the platform, the journal under a lease, and connections by colour. */
export class Context extends Sessions {
  readonly ledger: Ledger;
  readonly emit: Emit;
  /** A person's wish to stop, or the loss of the lease. */
  readonly wish: AbortSignal;
  /** The loss of the lease alone. */
  readonly lost: AbortSignal;
  /** Why, in the operator's words. */
  readonly reason: string | undefined;
  /** What the recovery before this command did. */
  recovered: 'nothing' | 'continued' | 'reverted' | 'left' = 'nothing';
  #shown: readonly Finding[] = [];
  /** It is the controller of a release that walks by itself, and no person. */
  readonly walks: boolean;
  /** It is a drill: what it makes it takes away again. */
  readonly drills: boolean;
  /** Who works here, for the journal. */
  readonly operator: string;
  /** Of what keeps clients held while a step works. */
  readonly renewal = new Renewal();
  /** The one that this is the inside of. */
  readonly #around: Context | undefined;
  #view: Promise<View> | undefined;
  readonly #insides = new Map<string, Context>();

  constructor(parts: {
    environment: Environment;
    platform: Platform;
    ledger: Ledger;
    emit: Emit;
    signal: AbortSignal;
    lost?: AbortSignal;
    looking?: boolean;
    walks?: boolean | undefined;
    drills?: boolean | undefined;
    operator?: string;
    reason?: string | undefined;
    /** Left out by who only looks. */
    lease?: Lease | undefined;
    /** For one of its further databases. */
    around?: Context;
  }) {
    super(parts);
    this.ledger = parts.ledger;
    this.emit = parts.emit;
    this.wish = parts.signal;
    this.lost = parts.lost ?? parts.signal;
    this.walks = parts.walks === true;
    this.drills = parts.drills === true;
    this.operator = parts.operator ?? 'nobody';
    this.reason = parts.reason;
    this.#around = parts.around;
  }

  /** What a step that waits listens to. Behind the commit point, and while something is undone, a wish comes too late. */
  get signal(): AbortSignal {
    const { operation } = this.journal;
    return operation === null || operation.phase === 'start' ? this.wish : this.lost;
  }

  /**
   * One for each database that the release carries, the environment's first as this one itself: in each what is of one
   * database is done as if there were no other. Before a release is open, those that are declared.
   */
  get each(): readonly Context[] {
    const further = this.journal.release ? carriedDatabases(this.journal) : furtherDatabases(this.environment);
    return this.#around ? [this] : [this, ...further.map((database) => this.#inside(database))];
  }

  /** Whether this is the inside of a further database: what is of the whole server is not done there. */
  get isInside(): boolean {
    return this.#around !== undefined;
  }

  /** The one for the server's first database, where what is of the whole server is kept. */
  get whole(): Context {
    return this.#around ?? this;
  }

  #inside(database: string): Context {
    const known = this.#insides.get(database);
    if (known) return known;
    const made = new Context({
      environment: environmentInside(this.environment, database),
      platform: this.platform,
      emit: this.emit,
      signal: this.wish,
      lost: this.lost,
      looking: this.looking,
      walks: this.walks,
      drills: this.drills,
      operator: this.operator,
      reason: this.reason,
      ledger: this.ledger.inside(database),
      lease: this.lease,
      around: this,
    });
    this.#insides.set(database, made);
    return made;
  }

  /** What the gates found and showed, of the operation that this process began. */
  get shown(): readonly Finding[] {
    return this.whole.#shown;
  }

  set shown(findings: readonly Finding[]) {
    this.whole.#shown = findings;
  }

  get journal(): Journal {
    return this.ledger.journal;
  }

  get live(): Colour {
    return this.journal.live;
  }

  /** The slot that is not live: candidate before the switchover, retained after it. */
  get idle(): Colour {
    return other(this.journal.live);
  }

  /**
   * Renews the lease and compares it; throws `lease-lost` where somebody else has taken it. Asked right before whatever
   * cannot be undone, and after what that is to be done to was read: a process that slept in between is found out here.
   */
  async requireLease(): Promise<void> {
    if (!this.lease) throw new Error('who only looks does nothing that needs a lease');
    if (!(await this.lease.renew())) throw leaseLost();
  }

  /**
   * Removes the colour that is not live as it is at this moment, under this lease, and nothing that takes its place.
   * Says what is left.
   */
  async removeIdle(undone: readonly string[] = []): Promise<string | void> {
    const seen = await this.platform.servers.observe(this.idle);
    await this.requireLease();
    const { release } = this.journal;
    const asBefore =
      release?.candidate === this.idle ? { passwordsOf: release.seed.passwords ?? [], undone } : undefined;
    return this.platform.servers.remove(this.idle, seen?.generation, asBefore);
  }

  /** What of a colour is of the release, where that is only a part of its database; looked at once. */
  async view(colour: Colour, settings?: ConnectionSettings): Promise<View | undefined> {
    const tables = tablesAt(this, colour);
    if (tables === undefined) return undefined;
    const own = settings ?? {
      ...(await this.platform.servers.connection(colour)),
      database: this.environment.database,
    };
    this.#view ??= withOwnSession(own, 'operator', (client) => viewOf(client, tables));
    return this.#view;
  }

  protected override async lensOf(colour: Colour, settings: ConnectionSettings): Promise<Lens | undefined> {
    return (await this.view(colour, settings))?.lens;
  }

  /** Looks again at what is of the release, and throws where it is no more what the gates looked at. */
  async seeAgain(): Promise<void> {
    const part = partOf(this);
    const before = part && (await this.view(part.origin));
    if (!before) return;
    const { cut } = await this.on(part.origin, (client) => readPart(client, part.tables));
    if (cut.torn.length > 0 || !isSameCut(before.cut, cut)) throw partChanged(part.origin);
  }

  /** Of its further databases too. */
  override cutConnections(): void {
    super.cutConnections();
    for (const inside of this.#insides.values()) inside.cutConnections();
  }
}
