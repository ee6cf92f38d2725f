import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { VerdigrisError } from '../model/errors.ts';
import { readWorkloadLog, type WorkloadLog } from './log.ts';
import type { Message } from './messages.ts';
import { workloadPlan, type WorkloadOptions } from './options.ts';
import type { Interval } from './tally.ts';

/** Totals since the start, and every interval of 250 ms. */
export interface WorkloadStats {
  readonly acknowledged: number;
  readonly reads: number;
  readonly errors: number;
  readonly intervals: readonly Interval[];
}

export interface Workload {
  readonly run: string;
  readonly pid: number;
  readonly logFile: string;
  stats(): WorkloadStats;
  /** Calls `listener` after each interval; the result ends that. */
  onStats(listener: (latest: Interval, stats: WorkloadStats) => void): () => void;
  /**
   * Resolves once `reached` holds for the totals; rejects after `limit` milliseconds or when the clients' process has
   * ended.
   */
  until(reached: (stats: WorkloadStats) => boolean, limit: number): Promise<WorkloadStats>;
  /**
   * Stops the clients, waits for the writes under way, and reads the log, which is there even where the process was
   * killed. Safe to call twice.
   */
  stop(): Promise<WorkloadLog>;
}

/** Where the clients' process runs, when it is not this machine. */
export interface WorkloadPlace {
  /** Runs main.ts there, with its standard input and output here. */
  readonly command: readonly [string, ...string[]];
  /** The log's place there. */
  readonly logFile: string;
  /** Brings it to `file` once the process has ended. */
  fetch(file: string): Promise<void>;
}

/** Milliseconds from the order to stop to a kill: longer than the child's own grace. */
const stopLimit = 10_000;

/**
 * Starts writers and readers in a process of their own; resolves when they run. `prepareWorkload` comes first.
 * @throws VerdigrisError `workload-start` where a client is not let in or the tables are missing.
 */
export async function startWorkload(options: WorkloadOptions, place?: WorkloadPlace): Promise<Workload> {
  const plan = workloadPlan(options);
  const [program, ...args] = place?.command ?? [process.execPath, fileURLToPath(new URL('main.ts', import.meta.url))];
  const child = execa(program, args, {
    stdin: 'pipe',
    reject: false,
    buffer: { stdout: false },
    forceKillAfterDelay: stopLimit,
  });
  // A child that died early is reported below; its closed pipe is no news.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(place ? { ...plan, logFile: place.logFile } : plan)}\n`);

  const intervals: Interval[] = [];
  const totals = { acknowledged: 0, reads: 0, errors: 0, intervals };
  const listeners = new Set<(latest: Interval, stats: WorkloadStats) => void>();
  const ready = Promise.withResolvers<void>();
  // Reading goes on to the end, where `ended` resolves; nothing of the child's words is lost.
  const ended = (async () => {
    let failure = 'its process ended';
    for await (const line of createInterface({ input: child.stdout })) {
      const message = parse(line);
      if (!message) continue;
      if (message.type === 'ready') ready.resolve();
      if (message.type === 'failed') failure = message.message;
      if (message.type !== 'interval') continue;
      const { interval } = message;
      intervals.push(interval);
      totals.acknowledged += interval.acknowledged;
      totals.reads += interval.reads;
      totals.errors += interval.errors;
      for (const listener of listeners) listener(interval, totals);
    }
    const { stderr } = await child;
    ready.reject(startFailure(`${failure}${stderr ? `: ${stderr.trim().split('\n').slice(-5).join('\n')}` : ''}`));
  })();
  await ready.promise;

  let stopped: Promise<WorkloadLog> | undefined;
  const workload: Workload = {
    run: plan.run,
    pid: child.pid ?? 0,
    logFile: plan.logFile,
    stats: () => totals,
    onStats: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    until: async (reached, limit) => until(reached, limit),
    stop: async () => (stopped ??= finish()),
  };
  return workload;

  async function finish(): Promise<WorkloadLog> {
    child.stdin.end();
    const kill = setTimeout(() => child.kill('SIGKILL'), stopLimit);
    await ended.finally(() => clearTimeout(kill));
    await place?.fetch(plan.logFile);
    return readWorkloadLog(plan.logFile);
  }

  async function until(reached: (stats: WorkloadStats) => boolean, limit: number): Promise<WorkloadStats> {
    if (reached(totals)) return totals;
    const { promise, resolve, reject } = Promise.withResolvers<WorkloadStats>();
    const timer = setTimeout(
      () =>
        reject(
          new Error(
            `the workload did not get there within ${limit} ms: ${totals.acknowledged} writes, ${totals.reads} reads, ${totals.errors} errors`,
          ),
        ),
      limit,
    );
    const off = workload.onStats(() => reached(totals) && resolve(totals));
    void ended.then(() => reject(new Error('the workload has ended')));
    return promise.finally(() => {
      clearTimeout(timer);
      off();
    });
  }
}

/** Undefined for a line cut short by the child's death. */
function parse(line: string): Message | undefined {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return undefined;
  }
}

function startFailure(seen: string): VerdigrisError {
  return new VerdigrisError('workload-start', {
    seen: `The workload did not start: ${seen}.`,
    required: 'tables made by prepareWorkload, and an address where its writers and readers can log in.',
    next: 'see whether the address answers and the roles may log in.',
  });
}
