// Writes docs/declaration.schema.json: the schema from zod, each key described as docs/declaration.md describes it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { declarationJsonSchema } from '../src/model/declaration-issues.ts';

type Schema = z.core.JSONSchema.JSONSchema;
const inDocs = (name: string) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

/** The file's whole text. */
export function declarationSchemaFile(): string {
  const schema = declarationJsonSchema();
  for (const [key, meaning] of meanings(readFileSync(inDocs('declaration.md'), 'utf8')))
    for (const node of nodesAt(schema, key.split('.'))) node.description = meaning;
  const head = { $schema: schema.$schema, title: 'A declaration of Verdigris (verdigris.yaml)' };
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`;
}

/** The column "meaning" of the page's tables, by key, without Markdown's links. */
function meanings(page: string): Map<string, string> {
  const rows = page.matchAll(/^\| `([^`]+)` \| .+? \| .+? \| (.+) \|$/gm);
  return new Map([...rows].map(([, key = '', text = '']) => [key, text.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')]));
}

/** More than one where the key holds for each colour. */
function nodesAt(schema: Schema, [key, ...rest]: readonly string[]): Schema[] {
  if (key === undefined) return [schema];
  const below = key === '<colour>' ? [schema.additionalProperties] : [schema.properties?.[key]];
  return below.flatMap((each) => (typeof each === 'object' ? nodesAt(each, rest) : []));
}

if (import.meta.main) {
  writeFileSync(inDocs('declaration.schema.json'), declarationSchemaFile());
  console.log('wrote docs/declaration.schema.json');
}
