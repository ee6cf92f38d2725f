import { fileURLToPath } from 'node:url';
import type { Places } from './places.ts';
import { heldBy } from '../../router/deadman.ts';

/**
 * What the router runs when an operator died while holding clients: the same recovery that the next command would run.
 */
export function recoverCommand(places: Places): { argv: string[]; env: Record<string, string> } {
  const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  return {
    argv: [process.execPath, main, 'recover', '--file', places.declaration, '--json', '--gone', heldBy],
    env: { VERDIGRIS_HOME: places.home },
  };
}
