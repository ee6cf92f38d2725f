import { fileURLToPath } from 'node:url';
import { programEnd, startProgram } from '../../machine/program.ts';
import type { Walked } from './walk.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Milliseconds that a release has to undo what it began, once it is asked to stop. */
const grace = 120_000;

/**
 * `verdigris release` as a process of its own: one that dies, or holds clients, takes no other with it. Its own lease and
 * journal keep it from everybody else who works on that environment.
 */
export async function releaseOne(
  file: string,
  reason: string | undefined,
  signal: AbortSignal,
): Promise<Walked['error']> {
  const why = reason === undefined ? [] : ['--reason', reason];
  const args = [main, 'release', '--file', file, '--json', '--yes', ...why];
  const {
    failed,
    stdout = '',
    exitCode,
  } = await programEnd(startProgram(process.execPath, args, { inherits: 'all', signal, grace }));
  if (!failed) return undefined;
  // The error is the last line. Within a text the quotes of these words would be escaped.
  const said = stdout.split('\n').findLast((line) => line.includes('"type":"error"'));
  if (said !== undefined) {
    const { error } = JSON.parse(said) as { error: { id: string; seen?: string; message?: string } };
    return { id: error.id, seen: error.seen ?? error.message ?? '' };
  }
  return { id: 'unexpected', seen: `the process ended with ${exitCode ?? 'a signal'}` };
}
