import { z } from 'zod';
import type { Environment } from './environment.ts';

const time = z.iso.datetime();

/** What a journal knows of passwords: their ages, and never one of them. */
export const credentialRecord = z.strictObject({
  /** By role: when its password came. */
  since: z.record(z.string(), time).default({}),
  /** Of `credentials.rotation`, as it was declared last. What was rotated since `begun` is not rotated again. */
  rotation: z.strictObject({ name: z.string(), begun: time, ended: time.optional() }).optional(),
});

export type CredentialRecord = Readonly<z.output<typeof credentialRecord>>;

/** Of a new environment, whose passwords have just been made: what is declared then has nothing to rotate. */
export function newCredentials(
  { roles, credentials: { rotation: name } }: Pick<Environment, 'roles' | 'credentials'>,
  own: readonly string[],
  now = new Date().toISOString(),
): CredentialRecord {
  const all = [...roles.application, ...roles.readers, ...own.map((each) => `verdigris_${each}`)];
  return {
    since: Object.fromEntries(all.map((role) => [role, now])),
    ...(name === undefined ? {} : { rotation: { name, begun: now, ended: now } }),
  };
}

export function rotatedNow(record: CredentialRecord | undefined, role: string, at: string): CredentialRecord {
  return { ...record, since: { ...record?.since, [role]: at } };
}

export interface CredentialAge {
  readonly role: string;
  /** Undefined of a password that came before its coming was written down. */
  readonly since?: string | undefined;
  /** Older than `credentials.maxAge`, as is one whose age is not known. */
  readonly old: boolean;
}

/** Of every role that is declared, and of Verdigris's own that were ever written down; the oldest first. */
export function credentialAges(
  { roles, credentials: { maxAge } }: Pick<Environment, 'roles' | 'credentials'>,
  record: CredentialRecord | undefined,
  now = Date.now(),
): CredentialAge[] {
  const known = record?.since ?? {};
  const all = new Set([...roles.application, ...roles.readers, ...Object.keys(known).filter(isOwn)]);
  return [...all]
    .map((role) => {
      const since = known[role];
      return { role, since, old: maxAge !== undefined && (since === undefined || now - Date.parse(since) > maxAge) };
    })
    .toSorted((a, b) => (a.since ?? '').localeCompare(b.since ?? ''));
}

/** Whether what is declared as `credentials.rotation` is still to be done. */
export function rotationIsDue(
  { credentials: { rotation } }: Pick<Environment, 'credentials'>,
  record: CredentialRecord | undefined,
): boolean {
  const { name, ended } = record?.rotation ?? {};
  return rotation !== undefined && (name !== rotation || ended === undefined);
}

function isOwn(role: string): boolean {
  return role.startsWith('verdigris_');
}
