import { spawn } from 'node:child_process';
import { heldBy } from '../../router/deadman.ts';
import type { FromWatch, RecoverCommand, ToWatch } from './watch.ts';

/** Milliseconds for one recovery, and from one that failed to the next. */
const recoveryLimit = 120_000;
const again = 1_000;

const { argv, env } = JSON.parse(process.argv[2] ?? '') as RecoverCommand;
let token = 0;
let timer: NodeJS.Timeout | undefined;
let lapsed = false;

process.on('message', (message: ToWatch) => {
  // A recovery that runs is left to end by itself.
  if (lapsed) return;
  clearTimeout(timer);
  if (message === 'end') process.exit(0);
  token = message.token;
  timer = setTimeout(lapse, message.lease);
  tell('armed');
});
process.on('disconnect', () => {
  if (!timer) process.exit(0);
});
tell('ready');

function tell(message: FromWatch): void {
  if (process.connected) process.send?.(message);
}

function lapse(): void {
  lapsed = true;
  tell('lapsed');
  console.error(`${new Date().toISOString()} nobody renewed the hold ${token} in time: running the recovery command`);
  const [program = '', ...args] = argv.map((each) => (each === heldBy ? String(token) : each));
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  const limit = setTimeout(() => child.kill('SIGKILL'), recoveryLimit);
  child.on('error', (error) => console.error(error.message));
  child.on('close', (status) => {
    clearTimeout(limit);
    if (status === 0) process.exit(0);
    setTimeout(lapse, again);
  });
}
