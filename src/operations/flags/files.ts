import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { isMap, parseDocument, type Document, type YAMLMap } from 'yaml';

type Values = ReadonlyMap<string, boolean>;

/** Sets flags in a file as flagd has it: `defaultVariant` names the variant of the value; what is not there is made. */
export function setFlagd(file: string, values: Values): Promise<void> {
  return changed(file, (document) => {
    for (const [name, value] of values) {
      const flag = flagIn(document, ['flags', name], {
        state: 'ENABLED',
        variants: { on: true, off: false },
      });
      flag.set('defaultVariant', variantOf(flag, 'variants', name, value));
    }
  });
}

/** The same in a file as GO Feature Flag has it: `defaultRule.variation`. */
export function setGoFeatureFlag(file: string, values: Values): Promise<void> {
  return changed(file, (document) => {
    for (const [name, value] of values) {
      const flag = flagIn(document, [name], { variations: { on: true, off: false } });
      flag.set('defaultRule', { variation: variantOf(flag, 'variations', name, value) });
    }
  });
}

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

/** Comments and what else is in the file stay. Whoever watches it sees the old file or the new one. */
async function changed(file: string, change: (document: Document) => void): Promise<void> {
  const text = await readFile(file, 'utf8');
  const document = parseDocument(text);
  if (document.errors[0]) throw document.errors[0];
  change(document);
  const json = text.trimStart().startsWith('{');
  const next = json ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString();
  if (next === text) return;
  const made = `${file}.verdigris`;
  await writeFile(made, next, { mode: (await stat(file)).mode });
  await rename(made, file);
}
