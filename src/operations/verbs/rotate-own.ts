import { randomBytes } from 'node:crypto';
import { colours, other, type Colour } from '../../model/colours.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { replicationRole, streamPrefix } from '../../model/names.ts';
import { newest, type OwnName, type OwnPassword } from '../../model/own-passwords.ts';
import { waitFor } from '../../model/wait.ts';
import { one, type Client } from '../../postgres/client.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { setOperatorPassword, setReplicationPassword } from '../../postgres/own-logins.ts';
import { changeSource } from '../../postgres/stream/source.ts';
import { readSubscription, subscriptionsBelow } from '../../postgres/stream/subscription.ts';
import { senderOf } from '../../postgres/stream/slot.ts';
import type { Context } from '../engine/context.ts';
import { oneByOne } from '../engine/each.ts';
import type { Rotated } from './rotate.ts';
import { followSender } from '../gates/circumstances.ts';
import { rotationSteps } from './rotation-steps.ts';

/**
 * Gives Verdigris itself another password, on every server that runs. It is kept beside the old one before any server
 * is changed, and whoever logs in as one of Verdigris's own tries both: killed anywhere, everybody gets in, and the
 * next command goes on.
 * @throws VerdigrisError `rotate-unknown` where nothing here has such a password.
 */
export async function rotateOwn(c: Context, name: OwnName): Promise<Rotated> {
  const { own } = c.platform.credentials;
  if (!(await own.names()).includes(name)) throw noneHere(c, name);
  const role = `verdigris_${name}`;
  const step = rotationSteps(c, role, 'publish');
  const known = await own.read(name);
  const next = known.next ?? (await step('choose', 'choose a password', () => choose(known)));
  switch (name) {
    case 'operator':
      await step('servers', 'give it to the servers', () => onEach(c, (client) => setOperatorPassword(client, next)));
      await step('log in', 'log in with it', () => logIn(c, next));
      break;
    case 'replication':
      await step('servers', 'give it to the servers', () =>
        onEach(c, (client) => setReplicationPassword(client, next)),
      );
      await step('subscriptions', 'have the subscriptions log in with it', () =>
        onEach(c, (_, colour) => reconnectInEach(c, colour, true)),
      );
      break;
    case 'console':
      await step('poolers', 'have the poolers take it', async () => own.admitConsole?.(next));
  }
  await step('publish', 'keep it', async () => {
    const before = name === 'operator' && (await mayComeBack(c)) ? [known.current, ...known.before] : [];
    await own.write(name, { current: next, before, rotatedAt: new Date().toISOString() });
  });
  await c.platform.traffic.refresh(c.ledger.token);
  return { role, login: role };

  async function choose(now: OwnPassword): Promise<string> {
    const chosen = randomBytes(24).toString('base64url');
    await own.write(name, { ...now, next: chosen });
    return chosen;
  }
}

/**
 * Ends what a killed rotation began, before anything is done that uses these passwords. One that cannot be ended is
 * said and keeps no command out: everybody gets in with either password, and the gates try what a switchover needs. The
 * consoles' takes minutes and hurts nobody meanwhile: it is ended `after` what the command is for.
 */
export async function finishRotations(c: Context, when: 'before' | 'after'): Promise<void> {
  const { own } = c.platform.credentials;
  for (const name of await own.names()) {
    if ((name === 'console') !== (when === 'after') || (await own.read(name)).next === undefined) continue;
    await said(c, `rotate ${name} was interrupted and cannot be completed now`, rotateOwn(c, name));
  }
}

/** A snapshot that something may be restored from, or a colour that is down, has the previous password. */
async function mayComeBack({ journal, platform }: Context): Promise<boolean> {
  return journal.state !== 'single' || journal.operation !== null || (await platform.servers.snapshots()).length > 0;
}

/**
 * A colour that was down while the replication role was given another password has the old one, in its role and in its
 * subscription. Called before anything is done that needs it to follow, or to be followed.
 */
export async function followRotation(c: Context): Promise<void> {
  const { own } = c.platform.credentials;
  const { stream } = c.journal;
  if (!stream || !(await own.names()).includes('replication')) return;
  const password = await own.read('replication');
  if (password.rotatedAt === undefined) return;
  for (const colour of colours) {
    const following = onColour(c, colour, async (client) => {
      await setReplicationPassword(client, newest(password));
      if (colour === stream.to) await reconnectInEach(c, colour, false);
    });
    await said(c, `${colour} cannot follow the rotation of ${replicationRole} now`, following);
  }
}

/** What is no reason to keep a command out is a note. */
async function said(c: Context, what: string, work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    c.signal.throwIfAborted();
    c.emit({ type: 'note', text: `${what}: ${describe(error)}` });
  });
}

async function onEach(c: Context, use: (client: Client, colour: Colour) => Promise<void>): Promise<void> {
  await c.requireLease();
  for (const colour of colours) await onColour(c, colour, (client) => use(client, colour));
}

/** Where it runs and takes writes of ours; a parked copy is given what it needs once it is promoted. */
async function onColour(c: Context, colour: Colour, use: (client: Client) => Promise<void>): Promise<void> {
  await c.ifRunning(colour, async (client) => {
    const { parked } = await one<{ parked: boolean }>(client, 'SELECT pg_is_in_recovery() AS parked');
    if (!parked) await use(client);
  });
}

/** By new connections, and with nothing else. */
async function logIn(c: Context, password: string): Promise<void> {
  for (const colour of colours)
    await c.ifRunning(colour, async () => {
      const { others: _, ...connection } = await c.platform.servers.connection(colour);
      if (connection.password !== undefined)
        await withOwnSession({ ...connection, password }, 'rotate', () => Promise.resolve());
    });
}

/** Each database has subscriptions of its own. */
async function reconnectInEach(c: Context, colour: Colour, prove: boolean): Promise<void> {
  await oneByOne(c, (inside) => inside.on(colour, (client) => reconnect(inside, client, colour, prove)));
}

/**
 * The subscriptions of `colour` to the other one: slot and position stay, and until the server says so they go on by
 * the connection that they have. `prove`: that they are connected, also where they have changed over already.
 */
async function reconnect(c: Context, subscriber: Client, colour: Colour, prove: boolean): Promise<void> {
  const { servers } = c.platform;
  const names = await subscriptionsBelow(subscriber, streamPrefix(c.environment.name));
  if (names.length === 0) return;
  const conninfo = await servers.conninfo(other(colour));
  for (const name of names) {
    const publisherRuns = (await servers.observe(other(colour)))?.running === true;
    const before = publisherRuns ? await c.on(other(colour), (publisher) => senderOf(publisher, name)) : undefined;
    const changed = await changeSource(subscriber, name, conninfo, c.environment.database);
    if (!prove || !publisherRuns || !(await readSubscription(subscriber, name))?.enabled) continue;
    const connected = await waitFor(
      async () => {
        const now = await c.on(other(colour), (publisher) => senderOf(publisher, name));
        return now !== undefined && (now !== before || !changed) ? now : undefined;
      },
      {
        limit: 60_000,
        every: 20,
        slowest: 500,
        signal: c.signal,
        what: `the subscription ${name} of ${colour} connected with the new password`,
        next: `see the server log of ${colour}; the same command continues from here.`,
      },
    );
    if (name === c.journal.stream?.name) await followSender(c, before, connected);
  }
}

function noneHere(c: Context, name: OwnName): VerdigrisError {
  return new VerdigrisError('rotate-not-kept', {
    seen: `verdigris_${name} has no password here that Verdigris keeps.`,
    required:
      'a password that Verdigris made: on this machine its own roles come through a folder that nobody else may ' +
      "enter, and where the declaration names the operator's password it is yours.",
    next:
      'for a password of yours, run ALTER ROLE on the server and change it where the declaration says; else there ' +
      'is nothing to rotate. Nothing was changed.',
    facts: { environment: c.environment.name, name },
  });
}
