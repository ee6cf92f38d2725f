import { objectNames } from '../../manifests/names.ts';
import { consoleReaderPassword, consoleUser, poolerSecret, userList } from '../../manifests/pooler-users.ts';
import type { ReaderPasswords } from '../../manifests/secrets.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import { operatorRole } from '../../model/names.ts';
import { ownNames, type OwnName, type OwnPassword } from '../../model/own-passwords.ts';
import { waitFor } from '../../model/wait.ts';
import { asReader } from '../../postgres/readers.ts';
import type { OwnCredentials } from '../port/credentials.ts';
import type { Cluster } from './cluster.ts';
import { Console } from '../poolers/console.ts';
import type { Poolers } from './poolers.ts';
import { nextReaderKeys, ownKeys, ownRotations, ownRotationsKey, type Secrets } from './secrets.ts';

/**
 * In the operator's Secret; the reader's follows from the operator's, and is in a Secret that processes may read which
 * only look.
 */
export class KubernetesOwnCredentials implements OwnCredentials {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #poolers: Poolers;
  readonly #admitted: () => Promise<Record<string, string>>;

  /** `admitted`: login to password of all that a pooler is to let in now. */
  constructor(
    environment: Environment,
    cluster: Cluster,
    secrets: Secrets,
    poolers: Poolers,
    admitted: () => Promise<Record<string, string>>,
  ) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#poolers = poolers;
    this.#admitted = admitted;
  }

  names(): Promise<readonly OwnName[]> {
    return Promise.resolve(ownNames);
  }

  read(name: OwnName): Promise<OwnPassword> {
    return this.#secrets.ownAgain(name);
  }

  async write(name: OwnName, { current, ...rest }: OwnPassword): Promise<void> {
    const secret = objectNames.operatorSecret(this.#environment.name);
    if (name !== 'replication') await this.#tellReaders(name, current, rest.next);
    const now = Object.fromEntries(
      await Promise.all(
        ownNames.map(async (each) => {
          const { current: _, ...known } = await this.#secrets.ownAgain(each);
          return [each, each === name ? rest : known] as const;
        }),
      ),
    );
    await this.#cluster.merge('Secret', secret, {
      stringData: { [ownKeys[name]]: current, [ownRotationsKey]: JSON.stringify(ownRotations.parse(now)) },
    });
    this.#secrets.forget(secret);
  }

  /** A Secret that changed reaches a pod within a minute or two, and PgBouncer looks at it when it is told to. */
  async admitConsole(password: string): Promise<void> {
    await this.#cluster.apply(poolerSecret(this.#environment, userList(await this.#admitted(), password)));
    for (const replica of await this.#poolers.required()) {
      let last: unknown = 'it was not asked';
      await waitFor(
        async () => {
          await this.#poolers.say(replica, 'RELOAD');
          return Console.open({ ...replica.address, user: consoleUser, password }, 'rotate').then(
            (console) => console.close().then(() => true),
            (error: unknown) => {
              last = error;
              return undefined;
            },
          );
        },
        {
          limit: 300_000,
          every: 200,
          slowest: 2_000,
          what: `the new password taken by the console of the pooler ${replica.pod}`,
          next: 'see its log; the same command continues from here.',
        },
        () => describe(last),
      );
    }
  }

  /** Before a server or a pooler changes over they know both. */
  async #tellReaders(of: 'operator' | 'console', current: string, next: string | undefined): Promise<void> {
    const name = objectNames.readerSecret(this.#environment.name);
    if (!(await this.#cluster.read('Secret', name))) return;
    const password = of === 'operator' ? readersPassword : consoleReaderPassword;
    await this.#cluster.merge('Secret', name, {
      stringData: { [ownKeys[of]]: password(current), [nextReaderKeys[of]]: password(next ?? current) },
    });
    this.#secrets.forget(name);
  }
}

/** What the reader's Secret is to say. */
export async function readerPasswords(secrets: Secrets): Promise<ReaderPasswords> {
  return {
    reader: readersPassword(await secrets.operator()),
    console: consoleReaderPassword(await secrets.console()),
  };
}

function readersPassword(operator: string): string {
  return asReader({ host: '', port: 0, database: '', user: operatorRole, password: operator }).password ?? '';
}
