import { readFile } from 'node:fs/promises';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Finding } from '../../model/finding.ts';
import { operatorRole } from '../../model/names.ts';
import { newest } from '../../model/own-passwords.ts';
import { quietSettings } from '../../model/quiet-settings.ts';
import type { ServerDeclaration } from '../../model/server-kinds.ts';
import { writeDurably } from '../../machine/durable.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { ident, literal } from '../../postgres/quote.ts';
import { passwordClause } from '../../postgres/verifier.ts';
import type { ExternalStore, OwnPasswords } from '../external/record.ts';
import { ExternalServer, type ServerAddress } from '../external/server.ts';
import { Cluster, type Stored } from '../kubernetes/cluster.ts';
import type { EmptyOptions } from '../port/servers.ts';
import { ownerSecret, readCnpg, type CnpgFacts } from './objects.ts';
import { problemsOf, type CnpgProblem } from './problems.ts';
import { runIn } from './exec.ts';
import { cnpgRefused, isMissing, missingCluster, unfitCluster } from './refused.ts';

const port = 5432;

/** Milliseconds that an address and an authority are taken as they were read: both outlive a failover. */
const known = 30_000;

interface Service extends Stored {
  readonly spec: { readonly clusterIP: string };
}

interface InstancePod extends Stored {
  readonly status?: { readonly podIP?: string };
}

interface CaSecret extends Stored {
  readonly data: Readonly<Record<string, string>>;
}

/**
 * A colour that is a Cluster of CloudNativePG: a server that others run, found by its name. Nothing of the Cluster is
 * changed by Verdigris: what must be otherwise is named, for whoever keeps its manifest.
 */
export class CnpgServer extends ExternalServer {
  /** A failover takes its time. */
  protected override readonly answerLimit: number = 120_000;
  readonly name: string;
  readonly api: Cluster;
  readonly #environment: Environment;
  readonly #caFile: string;
  readonly #own: () => Promise<OwnPasswords>;
  readonly #other: () => CnpgServer | undefined;
  readonly #reads: ServerDeclaration['canaryReads'];
  #reached: { readonly at: number; readonly reach: ServerAddress } | undefined;

  /** `caFile`: where the authority of the Cluster is kept. `other`: the other colour, where it is a Cluster too. */
  constructor(
    environment: Environment,
    colour: Colour,
    declared: ServerDeclaration,
    store: ExternalStore,
    passwords: () => Promise<OwnPasswords>,
    caFile: string,
    other: () => CnpgServer | undefined,
  ) {
    super(environment, colour, declared, store, passwords);
    const { cluster = '', namespace = 'default', context, canaryReads } = declared;
    this.name = cluster;
    this.#reads = canaryReads;
    this.api = Cluster.open(namespace, { context });
    this.#environment = environment;
    this.#caFile = caFile;
    this.#own = passwords;
    this.#other = other;
  }

  /** The name by which the other colour's server and clients in the cluster reach it. */
  override get address(): ServerAddress {
    return { host: `${this.name}-rw.${this.api.namespace}.svc`, port };
  }

  override get at(): string {
    return `the Cluster ${this.api.namespace}/${this.name}`;
  }

  protected override async readsAt(): Promise<readonly ServerAddress[]> {
    return this.#reads === 'standbys' ? (await this.standbys()).map(({ host }) => ({ host, port })) : [];
  }

  /** The Service's own address: it stays through failovers, and needs no name service of the cluster's. */
  override async reach(): Promise<ServerAddress> {
    if (this.#reached && performance.now() - this.#reached.at < known) return this.#reached.reach;
    const { host, ca } = await this.#readReach();
    if ((await readFile(this.#caFile, 'utf8').catch(() => '')) !== ca) await writeDurably(this.#caFile, ca);
    const tls = { mode: 'verify-full', ca: this.#caFile, servername: this.address.host } as const;
    const reach = { host, port, tls };
    this.#reached = { at: performance.now(), reach };
    return reach;
  }

  async #readReach(): Promise<{ readonly host: string; readonly ca: string }> {
    const { status } = (await this.facts()).cluster;
    const service = await this.api.read<Service>('Service', status?.writeService ?? `${this.name}-rw`);
    const secret = await this.api.read<CaSecret>('Secret', status?.certificates?.serverCASecret ?? `${this.name}-ca`);
    const ca = Buffer.from(secret?.data['ca.crt'] ?? '', 'base64').toString();
    if (service && ca !== '') return { host: service.spec.clusterIP, ca };
    throw cnpgRefused(this.at, [
      {
        name: 'not-healthy',
        seen: 'its Service or the Secret of its authority is not there',
        fix: 'wait until it is healthy',
      },
    ]);
  }

  /** Verdigris's own role is made inside the instance: no superuser of the Cluster has a password. */
  override async given(): Promise<ConnectionSettings> {
    return { ...(await this.connection()), database: this.#environment.database };
  }

  /**
   * The password exchange is bound to the encrypted channel: whoever does not know the password's verifier cannot stand
   * in for this server, and no file of its authority is needed beside the other one.
   */
  override async conninfo(): Promise<string> {
    const { host } = this.address;
    const password = newest((await this.#own()).replication);
    return `host=${host} port=${port} password=${password} sslmode=require channel_binding=require`;
  }

  override async environmentOf(): Promise<string | undefined> {
    await this.#requireFit();
    const sql = `SELECT environment FROM verdigris.fence`;
    const there = await this.#psql("SELECT to_regclass('verdigris.fence') IS NOT NULL");
    return (there === 't' && (await this.#psql(sql))) || undefined;
  }

  override async adopt(generation: number): Promise<void> {
    await this.#prepare();
    await super.adopt(generation);
  }

  override async empty(options: EmptyOptions): Promise<void> {
    await this.#prepare();
    await super.empty(options);
  }

  /** Sessions to its standbys, by their pods: slots that they carry are seen there alone. */
  async standbys(): Promise<ConnectionSettings[]> {
    const own = await this.connection();
    const labels = { 'cnpg.io/cluster': this.name, 'cnpg.io/instanceRole': 'replica' };
    return (await this.api.list<InstancePod>('Pod', labels)).flatMap(({ status }) =>
      status?.podIP === undefined ? [] : [{ ...own, host: status.podIP }],
    );
  }

  async facts(): Promise<CnpgFacts> {
    const facts = await readCnpg(this.api, this.name);
    if (facts) return facts;
    throw missingCluster(this.at);
  }

  /** Roles whose passwords its operator sets again and again, from a Secret that both Clusters read. */
  async keptRoles(): Promise<readonly string[]> {
    return this.#other() ? [ownerSecret((await this.facts()).cluster).owner] : [];
  }

  async findings(): Promise<Finding[]> {
    const problems = await this.#problems();
    return problems.length === 0 ? [] : [unfitCluster(this.at, problems)];
  }

  /** Its owner may have deleted it: what Verdigris had made there went with it. */
  protected override absence(error: unknown): string | undefined {
    return isMissing(error) ? 'nothing: it is not there any more' : super.absence(error);
  }

  close(): void {
    this.api.close();
  }

  async #problems(): Promise<CnpgProblem[]> {
    const other = this.#other();
    const theirs = other && (await readCnpg(other.api, other.name));
    return problemsOf(this.#environment, this.colour, await this.facts(), theirs);
  }

  async #requireFit(): Promise<void> {
    const problems = await this.#problems();
    if (problems.length > 0) throw cnpgRefused(this.at, problems);
  }

  /** Safe to run again: the role gets the password that is kept. */
  async #prepare(): Promise<void> {
    await this.#requireFit();
    const { operator } = await this.#own();
    const role = ident(operatorRole);
    const login = `ROLE ${role} SUPERUSER LOGIN ${passwordClause(newest(operator))}`;
    const there = await this.#psql(
      `SELECT count(*) FROM pg_roles WHERE rolname = ${literal(operatorRole)}`,
      'postgres',
    );
    await this.#psql(`${there === '0' ? 'CREATE' : 'ALTER'} ${login}`, 'postgres', quietSettings('SET'));
  }

  /** A pg_dump of the Cluster's own major, where no other program of it is needed. */
  async dump(args: readonly string[]): Promise<string> {
    return this.#run(['pg_dump', ...args, '-d', this.#environment.database]);
  }

  /** `first`: statements before it, in the same session. */
  async #psql(sql: string, database = this.#environment.database, first: readonly string[] = []): Promise<string> {
    const bare = ['psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1'];
    return (await this.#run([...bare, '-d', database, ...[...first, sql].flatMap((each) => ['-c', each])])).trim();
  }

  async #run(command: readonly string[]): Promise<string> {
    const { status } = (await this.facts()).cluster;
    const pod = status?.currentPrimary ?? `${this.name}-1`;
    return runIn(this.api.config, { namespace: this.api.namespace, pod }, command);
  }
}
