import { CommanderError } from 'commander';
import { version } from '../model/version.ts';
import { outliveReaders } from '../machine/outlive.ts';
import { isCommand, loadCommand } from './program.ts';

/** Half of a short command is its loading: of the commands only the one that is asked for is loaded. */
async function run(): Promise<void> {
  const words = process.argv.slice(2);
  const [first, ...others] = words;
  if (first === '--version' || first === '-V') return console.log(version);
  if (first !== 'help' || others.length === 0) await runCommand(first === '--' ? others[0] : first, words);
  else if (isCommand(others[0])) await runCommand(others[0], [...others, '--help']);
  else await runCommand(undefined, others);
}

async function runCommand(asked: string | undefined, words: readonly string[]): Promise<void> {
  await (await loadCommand(asked)).parseAsync(words, { from: 'user' });
}

outliveReaders();
try {
  await run();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
