import { z } from 'zod';

/**
 * What of Verdigris has a password of its own. Those of `verdigris_reader` and `verdigris_locker` follow from the
 * operator's.
 */
export const ownNames = ['operator', 'replication', 'console'] as const;
export type OwnName = (typeof ownNames)[number];

/** A password of Verdigris's own, as a platform keeps it. */
export const ownPassword = z.strictObject({
  current: z.string(),
  /** Of a rotation that has begun and not ended: servers have either. */
  next: z.string().optional(),
  /**
   * What a snapshot, or a colour that was down, may still have. Every server that is met with one of these is given the
   * current one.
   */
  before: z.array(z.string()).default([]),
  /** When `current` came; left out where it is the one that the environment was made with. */
  rotatedAt: z.iso.datetime().optional(),
});

export type OwnPassword = Readonly<z.output<typeof ownPassword>>;

/** What whoever writes it somewhere is to write: a rotation that has begun is only ever gone on with. */
export function newest({ current, next }: OwnPassword): string {
  return next ?? current;
}

/**
 * The name by which a person calls it: its role's, or without the prefix where no role of the declaration is called so.
 */
export function ownNamed(text: string, declared: readonly string[]): OwnName | undefined {
  if (declared.includes(text)) return undefined;
  return ownNames.find((name) => text === name || text === `verdigris_${name}`);
}
