import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeDurably } from '../machine/durable.ts';
import { runningProcess } from '../machine/process.ts';
import { VerdigrisError } from '../model/errors.ts';
import { parseConfig, routerFiles, routerStart, type RouterSettings } from './config.ts';
import { RouterControl } from './control.ts';
import { ownEnvironment } from './own-environment.ts';
import { whenSilent } from '../model/wait.ts';

const startTimeout = 15_000;
const stopTimeout = 5_000;
const program = fileURLToPath(new URL('main.ts', import.meta.url));

/** The daemon's process id, if it runs: by its file, and where somebody took that away by its own word. */
export async function routerPid(folder: string): Promise<number | undefined> {
  const noted = await runningProcess(routerFiles(folder).pid);
  if (noted !== undefined) return noted;
  const control = new RouterControl(folder);
  try {
    return (await control.status()).pid;
  } catch {
    return undefined;
  } finally {
    control.close();
  }
}

export async function isRunning(folder: string): Promise<boolean> {
  return (await routerPid(folder)) !== undefined;
}

/**
 * Starts the router as a process of its own that outlives this one, and waits until it takes clients. `settings`
 * replace the configuration in its folder, which is read at a start only. Does nothing more where the router runs.
 * Throws what the daemon could not do: `port-taken`, `router-config`, `router-state`, `router-start`.
 */
export async function launchRouter(folder: string, settings?: RouterSettings): Promise<number> {
  if (settings) await configure(folder, settings);
  const running = await routerPid(folder);
  if (running !== undefined) return running;
  const log = await open(routerFiles(folder).log, 'a', 0o600);
  try {
    // Detached: a session of its own, so that neither the operator's end nor its terminal's reaches it.
    const child = spawn(process.execPath, [program, folder], {
      detached: true,
      cwd: '/',
      env: ownEnvironment(),
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    const reported = Promise.withResolvers<{ error?: Record<string, unknown> }>();
    child.on('message', (message) => reported.resolve(message as { error?: Record<string, unknown> }));
    child.on('error', reported.reject);
    child.on('exit', (status, signal) => reported.reject(new Error(`it ended with ${signal ?? status}`)));
    const stop = whenSilent(startTimeout, () =>
      reported.reject(new Error(`it was not ready within ${startTimeout} ms`)),
    );
    try {
      const { error } = await reported.promise;
      if (error) throw VerdigrisError.fromJSON(error);
      return child.pid as number;
    } catch (error) {
      child.kill('SIGKILL');
      if (error instanceof VerdigrisError) throw error;
      throw routerStart(folder, error);
    } finally {
      stop();
      if (child.connected) child.disconnect();
      child.unref();
    }
  } finally {
    await log.close();
  }
}

/** Ends the router and with it every client's connection. A hold stays: the next start begins with it. */
export async function stopRouter(folder: string): Promise<void> {
  const control = new RouterControl(folder);
  try {
    await control.stop();
  } catch {
    await signal(folder, 'SIGTERM');
  } finally {
    control.close();
  }
  const deadline = performance.now() + stopTimeout;
  while ((await routerPid(folder)) !== undefined) {
    if (performance.now() > deadline) await signal(folder, 'SIGKILL');
    await delay(10);
  }
}

async function configure(folder: string, settings: RouterSettings): Promise<void> {
  const { config } = routerFiles(folder);
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  parseConfig(text, config);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeDurably(config, text);
}

/** Never to a process that merely has the number. */
async function signal(folder: string, name: NodeJS.Signals): Promise<void> {
  const pid = await routerPid(folder);
  if (pid !== undefined) process.kill(pid, name);
}
