import { fileURLToPath } from 'node:url';
import { program } from './program.ts';

/** Outputs, by environment, for other stacks to reference. */
export const environments = program(fileURLToPath(new URL('..', import.meta.url)));
