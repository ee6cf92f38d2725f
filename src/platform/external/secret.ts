import { readFile } from 'node:fs/promises';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { SecretSource } from '../../model/server-kinds.ts';

/** Milliseconds that a command has to print a secret. */
const commandLimit = 30_000;

/** Where a secret is read, for people; never the secret itself. */
export function secretName(source: SecretSource): string {
  if ('file' in source) return `the file ${source.file}`;
  if ('env' in source) return `the variable ${source.env}`;
  return `the command ${source.command.join(' ')}`;
}

/** Reads a secret; a line break at its end is none of it. @throws VerdigrisError `secret-missing` */
export async function readSecret(source: SecretSource): Promise<string> {
  const secret = await read(source).catch((cause: unknown) => {
    throw missing(source, describe(cause), cause);
  });
  if (secret === '') throw missing(source, 'it is empty');
  return secret;
}

async function read(source: SecretSource): Promise<string> {
  if ('file' in source) return (await readFile(source.file, 'utf8')).replace(/\r?\n$/, '');
  if ('env' in source) return process.env[source.env] ?? '';
  const [program = '', ...args] = source.command;
  // Loaded only here: every command reads a declaration, few read such a secret.
  const { programEnd, startProgram } = await import('../../machine/program.ts');
  // What a failing command printed may hold the secret.
  const {
    stdout = '',
    failed,
    exitCode,
  } = await programEnd(startProgram(program, args, { inherits: 'all', limit: commandLimit }));
  if (failed) throw new Error(`it ended with ${exitCode ?? 'no exit code'}`);
  return stdout.replace(/\r?\n$/, '');
}

function missing(source: SecretSource, why: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('secret-missing', {
    seen: `${secretName(source)} gives no password: ${why}.`,
    required: 'the password in the place that the declaration names.',
    next: 'put it there, or declare another place. Nothing was changed.',
    cause,
  });
}
