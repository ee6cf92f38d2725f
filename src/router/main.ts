import { VerdigrisError } from '../model/errors.ts';
import { runDaemon } from './daemon.ts';
import { routerStart } from './config.ts';

/** The daemon's entry: `node main.ts <folder>`. Whoever started it with a channel is told how that went. */
async function main(folder: string | undefined): Promise<void> {
  const tell = (message: unknown) => {
    if (process.connected) process.send?.(message, () => process.connected && process.disconnect());
  };
  try {
    if (folder === undefined)
      throw new VerdigrisError('router-folder', {
        seen: 'No folder was given.',
        required: 'the folder that holds router.json.',
        next: 'node main.ts <folder>',
      });
    await runDaemon(folder);
    tell({ ready: true });
  } catch (error) {
    const known = error instanceof VerdigrisError ? error : routerStart(folder ?? '', error);
    process.stderr.write(
      `${JSON.stringify({ level: 60, time: new Date().toISOString(), msg: 'the router did not start', err: known.toJSON() })}\n`,
    );
    process.exitCode = 1;
    tell({ error: known.toJSON() });
  }
}

await main(process.argv[2]);
