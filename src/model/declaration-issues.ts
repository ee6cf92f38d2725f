import { z } from 'zod';
import { environmentSchema } from './environment-schema.ts';
import { nearest } from './nearest.ts';

/** What is wrong with a declaration, and where: `colours.green.postgres`. */
export interface DeclarationIssue {
  readonly path: string;
  readonly message: string;
  /** Of the file that declares it, where that is known. */
  readonly line?: number | undefined;
}

/** The JSON schema of a declaration as people write it, for editors. */
export function declarationJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(environmentSchema, { io: 'input' });
}

/** In the words of a person who left a key or the quotes out; undefined leaves the message to zod. */
export function inWords({ code, input, expected }: z.core.$ZodRawIssue): string | undefined {
  const typed = code === 'invalid_type' || code === 'invalid_value';
  if (typed && input === undefined) return 'is required';
  // YAML reads 1.10 as 1.1: what stood there is not known any more.
  return expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')
    ? `is read as the ${typeof input} ${input}: put it in quotes, it is a text`
    : undefined;
}

/** A fault of one field, as zod has found it; an unknown key with the nearest one that exists. */
export function issuesOf(issue: z.core.$ZodIssue): DeclarationIssue[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path: dotted(path), message: issue.message }];
  const known = keysAt(path);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    return {
      path: dotted([...path, key]),
      message: `is not a key that Verdigris knows${near === undefined ? '' : `: did you mean ${near}?`}`,
    };
  });
}

/** The keys that the schema has below a path. */
function keysAt(path: readonly string[]): string[] {
  let schema: z.core.JSONSchema._JSONSchema = declarationJsonSchema();
  for (const key of path) {
    if (typeof schema !== 'object') return [];
    schema = schema.properties?.[key] ?? schema.additionalProperties ?? {};
  }
  return typeof schema === 'object' ? Object.keys(schema.properties ?? {}) : [];
}

function dotted(path: readonly string[]): string {
  return path.length === 0 ? '(whole file)' : path.join('.');
}
