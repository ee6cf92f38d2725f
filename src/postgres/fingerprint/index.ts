export type { SchemaKind, SchemaObject } from './object.ts';
export { readBrought, readSchema } from './read.ts';
export { digestSchema } from './digest.ts';
export { diffSchema, type SchemaDifference } from './diff.ts';
export { describeSchemaDifference } from './describe.ts';
