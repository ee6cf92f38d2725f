import { z } from 'zod';
import { objectNames } from '../../manifests/names.ts';
import { poolerSecret, userList } from '../../manifests/pooler-users.ts';
import { roleSecret } from '../../manifests/secrets.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import { roleLogins, type LoginSecret, type RoleLogins } from '../../model/logins.ts';
import { waitFor } from '../../model/wait.ts';
import { withPooledSession } from '../../postgres/session.ts';
import type { CredentialStore } from '../port/credentials.ts';
import type { Cluster } from './cluster.ts';
import { KubernetesOwnCredentials } from './own-credentials.ts';
import type { Poolers } from './poolers.ts';
import { secretValue, type Secrets } from './secrets.ts';

const stored = z.record(z.string(), roleLogins);
type Rotations = z.output<typeof stored>;

/**
 * What clients use is in each role's Secret; what rotations have made of it in the operator's, where no application
 * reads it. The poolers are given every login that is still good.
 */
export class KubernetesCredentials implements CredentialStore {
  readonly own: KubernetesOwnCredentials;
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #poolers: Poolers;

  constructor(environment: Environment, cluster: Cluster, secrets: Secrets, poolers: Poolers) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#poolers = poolers;
    this.own = new KubernetesOwnCredentials(environment, cluster, secrets, poolers, () => this.admitted());
  }

  async read(role: string): Promise<RoleLogins | undefined> {
    if (!this.#roles.includes(role)) return undefined;
    return (await this.#rotations())[role] ?? { current: await this.#secrets.login(role) };
  }

  async given(role: string): Promise<string | undefined> {
    const from = this.#environment.kubernetes.passwords[role];
    return from && secretValue(this.#cluster, from.secret, from.key);
  }

  /** Clients first: cut short behind that, the rotation is repeated with what it had chosen. */
  async write(role: string, logins: RoleLogins): Promise<void> {
    const { name } = this.#environment;
    if (logins.next === undefined || logins.next.password === logins.current.password) {
      await this.#cluster.apply(roleSecret(this.#environment, role, logins.current));
      this.#secrets.forget(objectNames.roleSecret(name, role));
    }
    const rotations: Rotations = { ...(await this.#rotations()), [role]: logins };
    await this.#cluster.merge('Secret', objectNames.operatorSecret(name), {
      stringData: { rotations: JSON.stringify(rotations) },
    });
    this.#secrets.forget(objectNames.operatorSecret(name));
  }

  async admit(_role: string, { login, password }: LoginSecret): Promise<void> {
    const { database } = this.#environment;
    const users = userList(await this.admitted(), await this.#secrets.console());
    await this.#cluster.apply(poolerSecret(this.#environment, users));
    for (const replica of await this.#poolers.required()) {
      let last: unknown = 'it was not asked';
      await waitFor(
        async () => {
          // A Secret that changed reaches a pod within a minute or two, and PgBouncer looks at it when it is told to.
          await this.#poolers.say(replica, 'RELOAD');
          return withPooledSession({ ...replica.address, user: login, password, database }, 'rotate', () =>
            Promise.resolve(true),
          ).catch((error: unknown) => {
            last = error;
            return undefined;
          });
        },
        {
          limit: 300_000,
          every: 200,
          slowest: 2_000,
          what: `${login} let in by the pooler ${replica.pod}`,
          next: 'see its log; the same command continues from here.',
        },
        () => describe(last),
      );
    }
  }

  /** Login to password, of all that a pooler is to let in now. */
  async admitted(): Promise<Record<string, string>> {
    const known = await Promise.all(this.#roles.map((role) => this.read(role)));
    const now = new Date().toISOString();
    return Object.fromEntries(
      known.flatMap((each) => {
        const { current, next, before } = each ?? {};
        return [before && before.until > now ? before : undefined, current, next].flatMap((one) =>
          one ? [[one.login, one.password] as const] : [],
        );
      }),
    );
  }

  get #roles(): readonly string[] {
    const { application, readers } = this.#environment.roles;
    return [...application, ...readers];
  }

  async #rotations(): Promise<Rotations> {
    const text = await this.#secrets.rotations();
    return text === undefined ? {} : stored.parse(JSON.parse(text));
  }
}
