import { CommanderError } from 'commander';
import { outliveReaders } from './outlive.ts';
import { program } from './program.ts';

outliveReaders();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
