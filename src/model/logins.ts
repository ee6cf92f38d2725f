import { z } from 'zod';

/**
 * The logins that rotations of a role go through: the role itself at first, then the two others in turn. Those are its
 * members and become it when they log in, so that rights and what is made are the role's whoever of them is let in.
 * PostgreSQL keeps 63 bytes of a name: of a longer role the further logins have its beginning.
 */
export function loginsOf(role: string): readonly [string, string, string] {
  let base = role;
  while (Buffer.byteLength(base) > longestBase) base = [...base].slice(0, -1).join('');
  return [role, `${base}_1`, `${base}_2`];
}

/** Bytes that leave room for the number. */
const longestBase = 61;

export function everyLogin(roles: readonly string[]): string[] {
  return roles.flatMap((role) => loginsOf(role));
}

/** The one that takes over from `current`. */
export function nextLogin(role: string, current: string): string {
  const [, first, second] = loginsOf(role);
  return current === first ? second : first;
}

const secret = z.strictObject({ login: z.string(), password: z.string() });

/** What a role is let in by, as a platform keeps it. */
export const roleLogins = z.strictObject({
  /** The one that clients are to use. */
  current: secret,
  /**
   * Of a rotation that has begun and not ended: the same is used when it goes on. It is `current` once clients are
   * told.
   */
  next: secret.optional(),
  /** Still let in until then. */
  before: secret.extend({ until: z.iso.datetime() }).optional(),
  /** When `current` came; left out where it is the one that the environment was made with. */
  rotatedAt: z.iso.datetime().optional(),
});

export type LoginSecret = Readonly<z.output<typeof secret>>;
export type RoleLogins = Readonly<z.output<typeof roleLogins>>;
