import { VerdigrisError } from '../../model/errors.ts';
import type { Client } from '../../postgres/client.ts';
import { parseScript } from './sql/parse.ts';
import { tryStatements } from './try-statements.ts';

/** A rehearsal cannot tell what these migrations lead to; the caller judges the catalogue after the run instead. */
export function effectUnknown(engine: string, why: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('migration-effect-unknown', {
    seen: `What the migrations of ${engine} do to tables cannot be known beforehand: ${why}.`,
    required: 'SQL that can be tried in a transaction.',
    next: 'no action is needed: the catalogue is checked after the run.',
    cause,
  });
}

export function isEffectUnknown(error: unknown): error is VerdigrisError {
  return error instanceof VerdigrisError && error.id === 'migration-effect-unknown';
}

/**
 * Runs scripts of another engine inside the caller's transaction, which is rolled back, statement by statement as far
 * as a transaction allows. Refuses what the runner of plain SQL refuses too: the end of a transaction, roles, other
 * databases.
 */
export async function rehearseScripts(
  client: Client,
  owner: string | undefined,
  scripts: readonly { readonly path: string; readonly bytes: Uint8Array }[],
): Promise<void> {
  const attempt = await tryStatements(client);
  // A tool opens its sessions again or resets them.
  for (const { path, bytes } of scripts) await attempt({ path, statements: await parseScript(bytes, path) }, owner);
}
