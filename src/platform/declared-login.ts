import { loginsOf } from '../model/logins.ts';

/** A password that is not the login's, or a login that may not: PgBouncer says 08P01 of both. */
const refused = ['28P01', '28000', '08P01'];

/**
 * The login that a role's declared password belongs to now. A rotation that follows the place where that is kept moves
 * to the role's next login, and the previous one ends: who knows the declaration alone finds out by trying.
 */
export class DeclaredLogin {
  readonly #logins: readonly string[];
  #last: string;

  constructor(role: string) {
    this.#logins = loginsOf(role);
    this.#last = role;
  }

  async by<T>(use: (login: string) => Promise<T>): Promise<T> {
    const last = this.#last;
    try {
      return await use(last);
    } catch (error) {
      if (!isRefused(error)) throw error;
      for (const login of this.#logins.filter((each) => each !== last)) {
        const found = await use(login).then(
          (value) => ({ value }),
          (other: unknown) => {
            if (!isRefused(other)) throw other;
            return undefined;
          },
        );
        if (!found) continue;
        this.#last = login;
        return found.value;
      }
      throw error;
    }
  }
}

function isRefused(error: unknown): boolean {
  return refused.includes((error as { code?: string }).code ?? '');
}
