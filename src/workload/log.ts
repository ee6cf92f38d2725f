import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { VerdigrisError } from '../model/errors.ts';
import type { ErrorLine, LogLine, WorkloadHeader } from './log-lines.ts';

/** One unique write as its client knows it. */
export interface WriteAttempt {
  readonly writer: number;
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly sent: number;
  /** Undefined where the client was never told that it is committed. */
  acknowledged?: { readonly at: number; readonly latency: number; readonly colour: string };
  /** The client was told that it is not committed. */
  refused: boolean;
}

/** Everything that the clients of one run sent and were told. */
export interface WorkloadLog {
  readonly run: string;
  readonly file: string;
  readonly startedAt: number;
  /** When the clients stopped sending; the last time seen where the process was killed. */
  readonly stoppedAt: number;
  /** Why it ended: `stopped`, `limit`, or `killed` where it could not say. */
  readonly ended: string;
  readonly writers: number;
  readonly attempts: readonly WriteAttempt[];
  readonly errors: readonly ErrorLine[];
}

/** Reads a log; a last line that was cut short by a kill does not count. Any other damage is an error. */
export async function readWorkloadLog(file: string): Promise<WorkloadLog> {
  let header: WorkloadHeader | undefined;
  let [stoppedAt, ended, number] = [0, 'killed', 0];
  let damaged: number | undefined;
  const attempts = new Map<string, WriteAttempt>();
  const errors: ErrorLine[] = [];
  for await (const text of createInterface({ input: createReadStream(file, 'utf8') })) {
    number += 1;
    if (damaged !== undefined) throw damage(file, damaged);
    const line = parse(text);
    if (line === undefined) damaged = number;
    else if (isTuple(line)) take(line);
    else if ('run' in line) header = line;
    else {
      errors.push(line);
      stoppedAt = Math.max(stoppedAt, line.at);
      const attempt = line.sequence === null ? undefined : attempts.get(`${line.who} ${line.sequence}`);
      if (attempt && line.role === 'writer') attempt.refused = !line.unknown;
    }
  }
  if (!header) throw damage(file, 1);
  return { ...header, file, stoppedAt, ended, attempts: [...attempts.values()], errors };

  function take(line: Extract<LogLine, readonly unknown[]>): void {
    if (line[0] === 'end') {
      [, ended, stoppedAt] = line;
      return;
    }
    const [kind, writer, sequence, at] = line;
    const key = `${writer} ${sequence}`;
    if (kind === 'sent') attempts.set(key, { writer, sequence, sent: at, refused: false });
    else {
      const attempt = attempts.get(key);
      if (!attempt) throw damage(file, number);
      attempt.acknowledged = { at, latency: line[4], colour: line[5] };
    }
    stoppedAt = Math.max(stoppedAt, at);
  }
}

function isTuple(line: LogLine): line is Extract<LogLine, readonly unknown[]> {
  return Array.isArray(line);
}

function parse(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}

function damage(file: string, line: number): VerdigrisError {
  return new VerdigrisError('workload-log-damaged', {
    seen: `Line ${line} of the workload's log ${file} cannot be read.`,
    required: 'a log as the workload wrote it; only its last line may be cut short.',
    next: 'run the workload again: without its log nothing is proved.',
    facts: { file, line },
  });
}
