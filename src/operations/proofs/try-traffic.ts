import { VerdigrisError } from '../../model/errors.ts';
import type { Context } from '../engine/context.ts';
import { usableFindings } from '../gates/usable.ts';
import { requireNone } from '../engine/gates.ts';
import { holdLease } from '../verbs/switchover/hold.ts';
import { unfinished } from '../../model/failures.ts';

/** One thing that a switchover asks of the clients' path, as it went. */
export interface TriedStep {
  readonly asked: string;
  readonly ms: number;
}

/**
 * Asks of the clients' path all that a switchover does, and leads everybody where they are led already: clients wait
 * for a moment, twice each is asked what must be safe twice. Whatever fails, they are let go.
 */
export async function tryTraffic(c: Context): Promise<TriedStep[]> {
  const { traffic } = c.platform;
  const { token } = c.ledger;
  if (c.journal.operation !== null)
    throw unfinished(
      c.journal.operation.verb,
      `\`verdigris recover\`, or \`verdigris ${c.journal.operation.verb}\` to go on`,
    );
  const steps: TriedStep[] = [];
  const step = async (asked: string, work: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    await work();
    steps.push({ asked, ms: Math.round(performance.now() - began) });
  };
  const answer = async (): Promise<void> => {
    const { colour, writable } = await traffic.probe();
    if (colour === c.live && writable) return;
    throw new VerdigrisError('wrong-answer', {
      seen: `Through the clients' path ${colour}${writable ? '' : ', read-only,'} answers.`,
      required: `${c.live}, which is live, writable.`,
      next: 'have the path lead there, then try again; clients continue as before.',
    });
  };
  await step('what a switchover uses behind its commit point', async () =>
    requireNone('switch', await usableFindings(c, { carried: false, wayBack: false })),
  );
  await step('prepare', async () => traffic.prepare?.(token));
  try {
    await step('hold', () => traffic.hold(token, c.environment.limits.pause, holdLease));
    c.renewal.start(() => traffic.renew(token, holdLease), holdLease / 4);
    await step('who answers, past the hold', answer);
    await step('route to where it leads', () => traffic.route(token, c.live, 0));
    await step('route again', () => traffic.route(token, c.live, 0));
    await step('who answers after it', answer);
  } finally {
    c.renewal.stop();
    await step('let go', () => traffic.resume(token));
  }
  await step('let go again', () => traffic.resume(token));
  await step('nobody is held', async () => {
    const { held, live } = await traffic.status();
    if (held || live !== c.live)
      throw new VerdigrisError('wrong-answer', {
        seen: held ? 'Clients are held after they were let go.' : `Clients are led to ${live ?? 'neither colour'}.`,
        required: `nobody held, and everybody led to ${c.live}.`,
        next: 'see what the path says of itself; run `verdigris recover`.',
      });
  });
  return steps;
}
