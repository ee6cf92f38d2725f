import { createInterface } from 'node:readline/promises';

/** Whether somebody can be asked: a person both types and reads here. */
export function atTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** One line of a person's, without the spaces around it; empty where the input ends. */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  // While it reads, readline takes Ctrl-C for itself.
  asking.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => asking.once('close', () => resolve('')));
  try {
    return (await Promise.race([asking.question(question, { signal }), ended])).trim();
  } finally {
    asking.close();
  }
}

/** Whether a question was answered with yes. */
export async function agrees(question: string, signal: AbortSignal): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `, signal));
}
