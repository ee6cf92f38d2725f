import { VerdigrisError } from '../../model/errors.ts';
import { rotationIsDue } from '../../model/credential-record.ts';
import type { Context } from '../engine/context.ts';
import { rotateOwn } from './rotate-own.ts';
import { rotateRole, type Rotated } from './rotate.ts';

/**
 * Rotates every password once for each text that `credentials.rotation` is given. Cut short, those go on that were not
 * reached: what was rotated since it began is not rotated again.
 * @throws VerdigrisError as `rotateRole`, but for a password that is kept elsewhere and has not changed there: that is
 * said.
 */
export async function rotateDeclared(c: Context): Promise<Rotated[]> {
  const { credentials, roles } = c.environment;
  const { rotation: name, grace } = credentials;
  if (name === undefined || !rotationIsDue(c.environment, c.journal.credentials)) return [];
  const known = c.journal.credentials?.rotation;
  const begun = known?.name === name ? known.begun : new Date().toISOString();
  await c.ledger.write((journal) => ({
    ...journal,
    credentials: { since: {}, ...journal.credentials, rotation: { name, begun } },
  }));
  const done: Rotated[] = [];
  const due = (role: string): boolean => {
    const since = c.journal.credentials?.since[role];
    return since === undefined || Date.parse(since) < Date.parse(begun);
  };
  for (const own of await c.platform.credentials.own.names())
    if (due(`verdigris_${own}`)) done.push(await rotateOwn(c, own));
  for (const role of [...roles.application, ...roles.readers])
    if (due(role)) done.push(...(await unlessUnchanged(c, rotateRole(c, role, { atOnce: false, grace }))));
  await c.ledger.write((journal) => ({
    ...journal,
    credentials: { since: {}, ...journal.credentials, rotation: { name, begun, ended: new Date().toISOString() } },
  }));
  return done;
}

async function unlessUnchanged(c: Context, rotating: Promise<Rotated>): Promise<Rotated[]> {
  try {
    return [await rotating];
  } catch (error) {
    if (!(error instanceof VerdigrisError && error.id === 'password-unchanged')) throw error;
    c.emit({ type: 'note', text: error.seen });
    return [];
  }
}
