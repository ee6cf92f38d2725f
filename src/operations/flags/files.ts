import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { isMap, parseDocument, type Document, type YAMLMap } from 'yaml';

type Values = ReadonlyMap<string, boolean>;
export type FlagFormat = 'flagd' | 'goFeatureFlag';

/** Sets flags in a file of this format; whoever watches it sees the old file or the new one. */
export async function setInFile(file: string, format: FlagFormat, values: Values): Promise<void> {
  const text = await readFile(file, 'utf8');
  const next = withFlagsSet(text, format, values);
  if (next === text) return;
  const made = `${file}.verdigris`;
  await writeFile(made, next, { mode: (await stat(file)).mode });
  await rename(made, file);
}

/** The text of such a file with flags set: comments and what else is in it stay. What is not there is made. */
export function withFlagsSet(text: string, format: FlagFormat, values: Values): string {
  const document = parseDocument(text);
  if (document.errors[0]) throw document.errors[0];
  for (const [name, value] of values) set[format](document, name, value);
  return text.trimStart().startsWith('{') ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString();
}

const set: Readonly<Record<FlagFormat, (document: Document, name: string, value: boolean) => void>> = {
  /** `defaultVariant` names the variant of the value. */
  flagd(document, name, value) {
    const made = { state: 'ENABLED', variants: { on: true, off: false } };
    const flag = flagIn(document, ['flags', name], made);
    flag.set('defaultVariant', variantOf(flag, 'variants', name, value));
  },
  /** `defaultRule.variation` names it. */
  goFeatureFlag(document, name, value) {
    const flag = flagIn(document, [name], { variations: { on: true, off: false } });
    flag.set('defaultRule', { variation: variantOf(flag, 'variations', name, value) });
  },
};

function flagIn(document: Document, path: readonly string[], otherwise: Record<string, unknown>): YAMLMap {
  if (!document.hasIn(path)) document.setIn(path, document.createNode(otherwise));
  const flag = document.getIn(path);
  if (!isMap(flag)) throw new Error(`${path.join('.')} is no flag`);
  return flag;
}

/** The name under which the flag has true, or false. */
function variantOf(flag: YAMLMap, variants: string, name: string, value: boolean): string {
  const all = flag.get(variants);
  const found = isMap(all) && all.items.find((item) => scalar(item.value) === value);
  if (!found) throw new Error(`the flag ${name} has no variant that is ${value}`);
  return String(scalar(found.key));
}

function scalar(node: unknown): unknown {
  return typeof node === 'object' && node !== null && 'value' in node ? node.value : node;
}
