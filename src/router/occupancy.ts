import type { RouterConfig } from './config.ts';

type Limits = Pick<RouterConfig['limits'], 'connections' | 'connectionsPerUser' | 'beforeLogin'>;

/** How many clients there are, by what is limited. The operator's own connections are not counted. */
export class Occupancy {
  readonly #limits: Limits;
  readonly #users = new Map<string, number>();
  #all = 0;
  #strangers = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** More than twice as many as may be there before their login are not even listened to. */
  get crowded(): boolean {
    return this.#strangers >= 2 * this.#limits.beforeLogin;
  }

  enter(): ClientPlace {
    this.#all++;
    this.#strangers++;
    let user: string | undefined;
    let left = false;
    return {
      refusal: () =>
        this.#all > this.#limits.connections
          ? 'sorry, too many clients already'
          : this.#strangers > this.#limits.beforeLogin
            ? 'sorry, too many clients that have not logged in yet'
            : undefined,
      loggedIn: (name) => {
        if (left || user !== undefined) return undefined;
        const others = this.#users.get(name) ?? 0;
        if (others >= this.#limits.connectionsPerUser) return `too many connections for role "${name}"`;
        user = name;
        this.#users.set(name, others + 1);
        this.#strangers--;
        return undefined;
      },
      leave: () => {
        if (left) return;
        left = true;
        this.#all--;
        if (user === undefined) this.#strangers--;
        else this.#forget(user);
      },
    };
  }

  #forget(user: string): void {
    const others = (this.#users.get(user) ?? 0) - 1;
    if (others > 0) this.#users.set(user, others);
    else this.#users.delete(user);
  }
}

/** One client's. Who is refused is told so, with SQLSTATE 53300. */
export interface ClientPlace {
  /** Why it cannot stay; undefined where it can. */
  refusal(): string | undefined;
  /** PostgreSQL has let it in. Why it cannot stay all the same, or undefined. */
  loggedIn(user: string): string | undefined;
  leave(): void;
}
