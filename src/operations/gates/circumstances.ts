import type { Circumstances } from '../../model/circumstances.ts';
import type { Colour } from '../../model/colours.ts';
import type { Journal } from '../../model/journal.ts';
import { lsnBytes, type Lsn } from '../../model/lsn.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readSlot, senderOf } from '../../postgres/stream/slot.ts';
import { readSubscription } from '../../postgres/stream/subscription.ts';
import type { Context } from '../engine/context.ts';
import { stream } from '../engine/release-record.ts';

/** No process has this id: whatever sends later is another one. */
const nobody = 0;

export async function readCircumstances(c: Context): Promise<Circumstances> {
  const { name, from, to } = stream(c);
  const startTimes: Circumstances['startTimes'] = {};
  for (const colour of [c.live, c.idle]) startTimes[colour] = (await c.on(colour, serverIdentity)).startTime;
  const errors = (await c.on(to, (client) => readSubscription(client, name)))?.errors ?? 0;
  return { startTimes, errors, sender: (await c.on(from, (client) => senderOf(client, name))) ?? nobody };
}

/** What happened since by which rows may be missing; what an older Verdigris did not write down is not asked. */
export function happened(
  before: Circumstances,
  now: Circumstances,
): { readonly restarted: readonly Colour[]; readonly interrupted: boolean } {
  const restarted = Object.entries(before.startTimes).flatMap(([colour, startTime]) =>
    now.startTimes[colour as Colour] === startTime ? [] : [colour as Colour],
  );
  const anew = before.sender !== undefined && now.sender !== before.sender;
  // A server that restarted ended the connection with it.
  return { restarted, interrupted: now.errors > before.errors || (restarted.length === 0 && anew) };
}

/** Whether the slot has gone beyond where it was left: while nothing had it, somebody moved it past rows. */
export async function isSlotPast(c: Context, left: Lsn | undefined): Promise<boolean> {
  const { name, from } = stream(c);
  const slot = await c.on(from, (client) => readSlot(client, name));
  return left !== undefined && slot !== undefined && lsnBytes(slot.confirmed) > lsnBytes(left);
}

/**
 * Writes down what all that was sent was applied under, since writes moved to the other colour, in one database. What
 * was known of the colour that sends stays. `passed`: the slot was moved past rows before it was used.
 */
export async function noteStanding(c: Context, passed = false): Promise<void> {
  const { startTimes, errors, sender } = await readCircumstances(c);
  const { to, standing } = stream(c);
  const now = { startTimes: { ...standing?.startTimes, [to]: startTimes[to] }, errors, sender };
  await writeStanding(c, { ...now, errors: standing?.errors ?? 0, ...(passed ? { sender: nobody } : {}) });
}

/** `left`: tables whose rows are still to be compared. */
export async function writeStanding(c: Context, standing: Circumstances, left?: readonly string[]): Promise<void> {
  await c.ledger.write((journal) => ({
    ...journal,
    stream: journal.stream && { ...journal.stream, standing: { ...standing, ...(left ? { left: [...left] } : {}) } },
  }));
}

/**
 * Verdigris itself had the subscription connect anew, and waited for it: what was proved by the connection of before is
 * so by this one.
 */
export async function followSender(c: Context, before: number | undefined, now: number): Promise<void> {
  const follow = <T extends Circumstances>(known: T): T =>
    known.sender === before ? { ...known, sender: now } : known;
  await c.ledger.write(({ release, stream: of, ...journal }): Journal => {
    const { verification } = release ?? {};
    return {
      ...journal,
      release:
        release && verification?.proof
          ? { ...release, verification: { ...verification, proof: follow(verification.proof) } }
          : release,
      stream: of?.standing ? { ...of, standing: follow(of.standing) } : of,
    };
  });
}
