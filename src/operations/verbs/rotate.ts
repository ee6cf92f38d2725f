import { when } from '../../model/when.ts';
import { randomBytes } from 'node:crypto';
import { VerdigrisError } from '../../model/errors.ts';
import { everyLogin, nextLogin, type RoleLogins } from '../../model/logins.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { admitReaders } from '../../postgres/fence-readers.ts';
import { carryGlobals } from '../../postgres/globals/carry.ts';
import { setLogins } from '../../postgres/logins.ts';
import type { Context } from '../engine/context.ts';
import { rotationSteps } from './rotation-steps.ts';

export interface RotateOptions {
  /** The login stays and its password changes: who has the old one is refused from then on. */
  readonly atOnce: boolean;
  /** Milliseconds that the previous login keeps working. */
  readonly grace: number;
}

export interface Rotated {
  readonly role: string;
  readonly login: string;
  /** The previous login, and until when it works. */
  readonly before?: { readonly login: string; readonly until: string } | undefined;
}

/**
 * Gives a role of the declaration another password. Both the old and the new login work until clients have been told of
 * the new one, and only then the old one is given its end. What was chosen is kept before the server is told: killed
 * anywhere, the same command goes on with it.
 * @throws VerdigrisError `rotate-unknown`, `grace-not-over`, `password-unchanged`, `login-taken`, `secret-missing`.
 */
export async function rotateRole(c: Context, role: string, { atOnce, grace }: RotateOptions): Promise<Rotated> {
  const { credentials } = c.platform;
  const known = await credentials.read(role);
  if (!known) {
    const { application, readers } = c.environment.roles;
    throw rotateUnknown(`${role} is no role that this environment keeps a password of.`, [...application, ...readers]);
  }
  const step = rotationSteps(c, role, 'end');
  const next = known.next ?? (await step('choose', 'choose login and password', () => choose(known)));
  const published = next.login === known.current.login && next.password === known.current.password;
  const old = published ? known.before : next.login === known.current.login ? undefined : known.current;
  await step('login', `let ${next.login} in on ${c.live}`, async () => {
    await c.requireLease();
    // As long as clients are told of it: were this cut short here, nobody knows for how long.
    await c.on(c.live, (client) => setLogins(client, role, next, old && { login: old.login, until: 'infinity' }));
  });
  await step('carry', 'carry it to the other colour', async () => {
    await carry(c);
    // A router carries sessions of this login over to servers that ask for its password.
    await c.platform.traffic.refresh(c.ledger.token);
  });
  await step('admit', "log in along the clients' path", () => credentials.admit(role, next));
  const now = Date.now();
  const before = old && { login: old.login, password: old.password, until: new Date(now + grace).toISOString() };
  const issued = { current: next, before, rotatedAt: new Date(now).toISOString() };
  await step('publish', 'tell clients', () => credentials.write(role, { ...issued, next }));
  await step('end', before ? `have ${before.login} end at ${when(before.until)}` : 'keep it', async () => {
    await c.requireLease();
    await c.on(c.live, (client) => setLogins(client, role, next, before));
    await carry(c);
    await credentials.write(role, issued);
  });
  return { role, login: next.login, before: before && { login: before.login, until: before.until } };

  async function choose(now: RoleLogins): Promise<NonNullable<RoleLogins['next']>> {
    const login = atOnce ? now.current.login : nextLogin(role, now.current.login);
    const until = now.before && login === now.before.login ? now.before.until : undefined;
    if (until !== undefined && Date.parse(until) > Date.now()) throw graceNotOver(role, login, until);
    const given = await credentials.given(role);
    if (given === now.current.password) throw sourceUnchanged(role);
    const chosen = { login, password: given ?? randomBytes(18).toString('base64url') };
    await credentials.write(role, { ...now, next: chosen });
    return chosen;
  }
}

/** Now, and not at the switchover: the canary's readers log in there, and a comparison would find another password. */
async function carry(c: Context): Promise<void> {
  if (c.journal.state === 'single') return;
  await c.ifRunning(c.idle, (to) =>
    c.on(c.live, async (from) => {
      await ensureControlSchema(to);
      await carryGlobals(from, to);
      if (c.journal.state === 'canary') await admitReaders(to, c.ledger.token, everyLogin(c.environment.roles.readers));
    }),
  );
}

/**
 * On a colour that was restored while the other one is gone: nobody can be asked what was rotated since, so the
 * passwords are what the platform keeps. Roles that were never rotated are as the colour has them.
 */
export async function keepRotated(c: Context): Promise<string[]> {
  const { application, readers } = c.environment.roles;
  const kept: string[] = [];
  for (const role of [...application, ...readers]) {
    const known = await c.platform.credentials.read(role);
    if (known?.rotatedAt === undefined) continue;
    await c.on(c.idle, (client) => setLogins(client, role, known.current, known.before));
    kept.push(role);
  }
  return kept;
}

/** `roles`: those that can be named. */
export function rotateUnknown(seen: string, roles: readonly string[]): VerdigrisError {
  return new VerdigrisError('rotate-unknown', {
    seen,
    required: `one or more of: ${roles.join(', ')}; or --all.`,
    next: 'name one of these, or add --all. Nothing was changed.',
  });
}

function sourceUnchanged(role: string): VerdigrisError {
  return new VerdigrisError('password-unchanged', {
    seen: `The password of ${role} is kept where the declaration says, and what is there is the current one.`,
    required: 'a new password there.',
    next: 'change it there, then run the same command. Nothing was changed.',
    facts: { role },
  });
}

function graceNotOver(role: string, login: string, until: string): VerdigrisError {
  return new VerdigrisError('grace-not-over', {
    seen: `${login}, the next login of ${role}, is valid until ${when(until)}, as the last rotation promised.`,
    required: 'the end of its grace period.',
    next: `rotate again after that; or run \`verdigris rotate ${role} --at-once\`: clients that have not switched are then refused. Nothing was changed.`,
    facts: { role, login, until },
  });
}
