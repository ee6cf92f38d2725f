import { CommanderError } from 'commander';
import { version } from '../model/version.ts';
import { outliveReaders } from '../machine/outlive.ts';
import { loadProgram } from './program.ts';

/** Half of a short command is its loading: of the commands only the one that is asked for is loaded. */
async function run(): Promise<void> {
  const [asked] = process.argv.slice(2);
  if (asked === '--version' || asked === '-V') console.log(version);
  else await (await loadProgram(asked)).parseAsync();
}

outliveReaders();
try {
  await run();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
