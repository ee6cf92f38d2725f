import { createHash } from 'node:crypto';
import type { SchemaObject } from './object.ts';
import { byKindAndIdentity } from './read.ts';

/**
 * SHA-256 in hex over every object, whatever their order. Equal digests mean equal schemas as far as SchemaObject sees
 * them.
 */
export function digestSchema(objects: readonly SchemaObject[]): string {
  const hash = createHash('sha256');
  for (const { kind, identity, definition } of [...objects].sort(byKindAndIdentity))
    hash.update(`${JSON.stringify([kind, identity, definition])}\n`);
  return hash.digest('hex');
}
