import type pg from 'pg';

export interface OtherPassword {
  readonly password: string;
  /**
   * Of one that should be none any more: gives the server the one that it is to have, by the session that it let in.
   */
  readonly renew?: (client: pg.Client) => Promise<void>;
}

/** 28P01 invalid_password; PgBouncer has no SQLSTATE of its own for it. */
export function isWrongPassword(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string };
  return code === '28P01' || (code === '08P01' && message.includes('authentication failed'));
}

/** Tries the others one after the other. Throws `refused` where none of them is taken. */
export async function byAnother<T>(
  others: readonly OtherPassword[],
  refused: unknown,
  attempt: (password: string, renew: OtherPassword['renew'], isIn: () => void) => Promise<T>,
): Promise<T> {
  for (const { password, renew } of others) {
    let inside = false;
    try {
      return await attempt(password, renew, () => {
        inside = true;
      });
    } catch (error) {
      if (inside || !isWrongPassword(error)) throw error;
    }
  }
  throw refused;
}
