import { setTimeout as pause } from 'node:timers/promises';
import type { VerdigrisProvider } from './provider.ts';

/** Milliseconds between two looks. */
const every = 500;

/**
 * Milliseconds for what is behind its commit point, in a cluster that may not answer. Then the guards go on as they do
 * for any operator that died.
 */
const longest = 10 * 60_000;

/** Names the engine's process where a wrapper started this one. */
const engineVariable = 'VERDIGRIS_ENGINE_PID';

/** A process whose parent has died is given another one; the engine behind a wrapper is asked for by its id. */
function engineWatch(): () => boolean {
  const given = process.env[engineVariable];
  if (given === undefined) {
    const parent = process.ppid;
    return () => process.ppid === parent;
  }
  return () => {
    try {
      return process.kill(Number(given), 0);
    } catch {
      return false;
    }
  };
}

/**
 * An engine that is killed leaves its providers behind. This one ends with it: what is before its commit point is
 * undone, what is behind it completed, and nothing is left running.
 */
export function endWithEngine(
  provider: Pick<VerdigrisProvider, 'cancel' | 'settled'>,
  alive = engineWatch(),
  end: () => void = () => process.exit(1),
  limit = longest,
): void {
  const watch = setInterval(() => {
    if (alive()) return;
    clearInterval(watch);
    provider.cancel('the Pulumi engine has ended');
    void Promise.race([provider.settled(), pause(limit)]).then(end);
  }, every);
  watch.unref();
}
