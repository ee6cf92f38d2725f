import { when } from './when.ts';
import { VerdigrisError } from './errors.ts';
import { indented } from './indented.ts';

// Errors that more than one file can meet: one text each, so that a reader finds one truth whoever reports it.

/**
 * A lease that was taken over; `where` names who saw the newer token: the journal, the router, an object, the database.
 */
export function staleToken(where: string, held: number, newest?: number): VerdigrisError {
  return new VerdigrisError('stale-token', {
    seen:
      `Another process took over this environment: ${where} has seen ` +
      `${newest === undefined ? 'a newer token' : `token ${newest}`}, this process holds ${held}. This one ` +
      'stopped and changed nothing further.',
    required: 'the newest lease.',
    next: 'run `verdigris status`: it says who is at work.',
    facts: { token: held, ...(newest === undefined ? {} : { newest }) },
  });
}

/** Nobody can tell whether somebody newer has written the object. */
export function tokenEdited(where: string, annotation: string, text: string, token: number): VerdigrisError {
  return new VerdigrisError('stale-token', {
    seen: `The annotation ${annotation} of ${where} is ${JSON.stringify(text)}, which is no number: somebody edited it.`,
    required: 'the number under which it was last written: by it an older operator is kept from changing it.',
    next:
      'see by `verdigris status` that nobody else is at work, set it to 0 by `kubectl annotate --overwrite`, ' +
      'then run the same command again.',
    facts: { token },
  });
}

/** Known before anything is refused a token: the lease itself is gone. */
export function leaseLost(): VerdigrisError {
  return new VerdigrisError('lease-lost', {
    seen: 'Another process took over the lease, because this one did not renew it in time.',
    required: 'one operator at a time.',
    next: 'see `verdigris status`; the other one continues or undoes this work.',
  });
}

/** Somebody works on the environment. `pid`: of a process of this machine, which a person can end. */
export function leaseHeld(holder: string, since: string, pid?: number): VerdigrisError {
  return new VerdigrisError('lease-held', {
    seen: `${holder} has been working on this environment since ${when(since)}.`,
    required: 'one operator at a time.',
    next:
      pid === undefined
        ? 'wait for it to finish. If its process is gone, its lease expires within 10 s, and the next command continues or undoes its work.'
        : `wait for it to end, or end process ${pid}; the next command then continues or undoes its work.`,
    facts: { holder, since, ...(pid === undefined ? {} : { pid }) },
  });
}

/** Of two who write the same revision one succeeds. */
export function journalConflict(revision: number): VerdigrisError {
  return new VerdigrisError('journal-conflict', {
    seen: `Revision ${revision} of the journal was written by another process.`,
    required: 'one writer.',
    next: 'run the command again: it continues from what the other one left.',
  });
}

export function snapshotMissing(seen: string): VerdigrisError {
  return new VerdigrisError('snapshot-missing', {
    seen,
    required: 'a whole snapshot.',
    next: 'run `verdigris abandon`, then seed again.',
  });
}

/** `blockers` one line each; `facts` the same for programs. */
export function pauseTimeout(budgetMs: number, blockers: readonly string[], facts: readonly unknown[]): VerdigrisError {
  return new VerdigrisError('pause-timeout', {
    seen: `Clients were still in a transaction after ${budgetMs} ms:\n${indented(blockers)}`,
    required: 'every client idle between transactions within limits.pause.',
    next:
      'nothing was changed and all clients are running again. Wait for these transactions, or end one by its pid ' +
      '(`verdigris psql -c "SELECT pg_terminate_backend(PID)"`), then retry; or raise limits.pause.',
    facts: { budgetMs, blockers: facts },
  });
}

export function portTaken(host: string, port: number, cause: unknown): VerdigrisError {
  return new VerdigrisError('port-taken', {
    seen: `Something else listens on ${host}:${port}.`,
    required: 'that address for the clients of this environment.',
    next:
      `find it with \`ss -ltnp 'sport = :${port}'\` and stop it, or declare another local.port; then run ` +
      `\`verdigris start\`, or \`create\` where there is no environment yet.`,
    facts: { host, port },
    cause,
  });
}

export function wrongState(environment: string, state: string, verb: string, from: readonly string[]): VerdigrisError {
  return new VerdigrisError('wrong-state', {
    seen: `The environment ${environment} is ${state}.`,
    required: `${from.join(' or ')}, to ${verb}.`,
    next: 'run `verdigris status`: it says what is possible now.',
    facts: { state, verb },
  });
}

/** Of a kept password that a server does not take; `seen` says which and where. */
export function wrongPassword(seen: string, required: string, next: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('wrong-password', { seen, required, next: `${next}; nothing was changed.`, cause });
}

/** `where`: what its server would be on this platform. */
export function noColour(colour: string, where = colour): VerdigrisError {
  return new VerdigrisError('no-colour', {
    seen: `There is no ${where}.`,
    required: `a server for ${colour}.`,
    next: 'see `verdigris status`.',
  });
}

/** A hold whose time is over: whoever had it does not hold anybody any more. */
export function notHeld(seen: string): VerdigrisError {
  return new VerdigrisError('not-held', {
    seen,
    required: 'an active hold.',
    next: 'begin the switchover again; clients may have written meanwhile.',
  });
}

/** `ways`: what can be run from here. */
export function unfinished(verb: string, ways: string): VerdigrisError {
  return new VerdigrisError('unfinished', {
    seen: `${verb} was interrupted.`,
    required: 'that it is finished or undone first.',
    next: `run ${ways}.`,
  });
}

/** A copy that lacks what its original has; `again` says what to do where another one ends the same way. */
export function copyNotWhole(
  seen: string,
  again: string,
  facts: Readonly<Record<string, unknown>>,
  cause?: unknown,
): VerdigrisError {
  return new VerdigrisError('copy-not-whole', {
    seen,
    required: 'a snapshot of one instant, with every file that the volume has.',
    next: `seed again. Where that fails the same way, ${again} The live colour is untouched.`,
    facts,
    cause,
  });
}

/** ENOSPC and EDQUOT of the system, 53100 of PostgreSQL. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', '53100'].includes(String((error as { code?: unknown } | undefined)?.code));
}

/** `where`: a file on the disk, or whose disk it is. */
export function diskFull(where: string, cause: unknown): VerdigrisError {
  return new VerdigrisError('disk-full', {
    seen: `No space is left on the disk of ${where}.`,
    required: 'room to write: some MiB for the journal, the write-ahead log and the copy for a colour.',
    next: 'free space there (`df`), then run `verdigris recover`: it undoes or finishes what was begun. Space for undoing is reserved.',
    facts: { where },
    cause,
  });
}
