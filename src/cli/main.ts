import { CommanderError } from 'commander';
import { outliveReaders } from './outlive.ts';

/** Half of a short command is its loading. Editors, hooks and pipelines start the linter often, so it is loaded by itself. */
async function run(): Promise<void> {
  if (process.argv[2] !== 'lint') await (await import('./program.ts')).program.parseAsync();
  else {
    const { lintCommand } = await import('./lint.ts');
    const linter = lintCommand().name('verdigris lint').exitOverride();
    await linter.parseAsync(process.argv.slice(3), { from: 'user' });
  }
}

outliveReaders();
try {
  await run();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
