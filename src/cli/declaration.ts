import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isCollection, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { isToBeSealed, readSealed } from '../machine/sealed.ts';
import { describe, VerdigrisError } from '../model/errors.ts';
import { parseEnvironment, type Environment } from '../model/environment.ts';
import { packedName, unpackFolder } from '../migrations/packed.ts';
import { defaultFile } from './default-file.ts';

/**
 * Reads a declaration, YAML or JSON. Paths of migrations become absolute, by the folder of the file; one that is not on
 * this machine is taken from what was packed beside the file, as it is in a pod of the cluster.
 */
export async function loadEnvironment(file: string): Promise<{ environment: Environment; raw: unknown }> {
  const text = await readSealed(file).catch((cause: unknown) => {
    if (cause instanceof VerdigrisError) throw cause;
    throw noDeclaration(file, cause);
  });
  const lines = new LineCounter();
  const document = parseDocument(text.toString('utf8'), { lineCounter: lines });
  const [fault] = document.errors;
  if (fault) throw noYaml(file, fault);
  const { declared, at: within } = withinStack(contentOf(document, file), file);
  const resolved = await withFoldersFound(declared, path.dirname(path.resolve(file)));
  const environment = parseEnvironment(resolved, file, (at) => lineOf(document, lines, [...within, ...at]));
  return { environment, raw: resolved };
}

function noYaml(file: string, fault: Error, next = 'fix it there; nothing was done.'): VerdigrisError {
  return new VerdigrisError('declaration-syntax', {
    seen: `${file} is not YAML: ${fault.message}`,
    required: 'YAML or JSON.',
    next,
    cause: fault,
  });
}

/** What begins with `*` stands for what has that name; only here is it looked for, and how often. */
function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (fault) {
    if (!(fault instanceof ReferenceError)) throw fault;
    throw noYaml(file, fault, 'put a text that begins with * in quotes, or write out what it stands for.');
  }
}

/** `cause`: undefined where the file is known not to be there. */
export function noDeclaration(file: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('no-declaration', {
    seen: `The declaration ${file} ${cause === undefined ? 'is not here' : `cannot be read: ${describe(cause)}`}.`,
    required: 'a file that declares the environment.',
    next: stackFileNext(file) ?? 'go to its folder or give it with --file; `verdigris init` writes a new one.',
    cause,
  });
}

const stackKey = 'verdigris:environments';

/** The one declaration that a stack's configuration, `Pulumi.<stack>.yaml`, holds; of another file all that it holds. */
function withinStack(content: unknown, file: string): { declared: unknown; at: readonly string[] } {
  const environments = isRecord(content) && isRecord(content['config']) ? content['config'][stackKey] : undefined;
  if (!isRecord(environments)) return { declared: content, at: [] };
  const [[name, declared] = [], ...more] = Object.entries(environments);
  if (name !== undefined && more.length === 0 && isRecord(declared))
    return { declared, at: ['config', stackKey, name] };
  const files = Object.values(environments).filter((each) => typeof each === 'string');
  throw new VerdigrisError('no-declaration', {
    seen: `${file} is the configuration of a stack with the environments ${Object.keys(environments).join(', ') || '(none)'}.`,
    required: 'one environment, declared in the file itself.',
    next:
      files.length > 0
        ? `name the file of the environment you mean: ${files.map((each) => `--file ${path.join(path.dirname(file), each)}`).join(', ')}.`
        : 'keep each declaration in a file of its own (examples/stacks/Pulumi.files.example.yaml), and name it with --file.',
  });
}

/** Where a declaration was not found and stacks are: those may hold it. */
function stackFileNext(file: string): string | undefined {
  const folder = path.dirname(file);
  const stacks = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => /^Pulumi\.[^.]+\.yaml$/.test(name));
  if (path.basename(file) !== defaultFile || stacks.length === 0) return undefined;
  return `name the stack's configuration, or the file that it names: ${stacks.map((name) => `--file ${path.join(folder, name)}`).join(', ')}.`;
}

/** The line of the deepest key of `path` that the file has: a key that is missing is reported where it belongs. */
function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number | undefined {
  let node: unknown = document.contents;
  let line: number | undefined;
  for (const key of path) {
    if (!isCollection(node)) break;
    const item: unknown = node.items.find((each, index) =>
      isPair(each) ? isScalar(each.key) && String(each.key.value) === key : String(index) === key,
    );
    const at = isPair(item) ? item.key : item;
    const offset = isScalar(at) || isCollection(at) ? at.range?.[0] : undefined;
    if (offset === undefined) break;
    ({ line } = lines.linePos(offset));
    node = isPair(item) ? item.value : item;
  }
  return line;
}

async function withFoldersFound(declared: unknown, folder: string): Promise<unknown> {
  const raw = withFilesFound(declared, folder);
  if (!isRecord(raw) || !isRecord(raw['colours'])) return raw;
  const colours = await Promise.all(
    Object.entries(raw['colours']).map(
      async ([colour, value]) =>
        [
          colour,
          isRecord(value) && typeof value['migrations'] === 'string'
            ? { ...value, migrations: await migrationsFolder(folder, colour, value['migrations']) }
            : value,
        ] as const,
    ),
  );
  return { ...raw, colours: Object.fromEntries(colours) };
}

/** Files that a declaration names beside folders of migrations; by the folder of the declaration. `*` is any key. */
const files = [
  ['local', 'tls', 'cert'],
  ['local', 'tls', 'key'],
  ['local', 'passwords', '*', 'file'],
  ['colours', '*', 'server', 'ca'],
  ['colours', '*', 'databases', '*', 'migrations'],
  ['journal', 'ca'],
  ['traffic', 'password', 'file'],
  ['traffic', 'pgbouncers', '*', 'config'],
  ['traffic', 'pgbouncers', '*', 'ca'],
  ['flagStores', '*', 'flagd', 'file'],
  ['flagStores', '*', 'goFeatureFlag', 'file'],
  ['journal', 'password', 'file'],
  ['colours', '*', 'server', 'password', 'file'],
];

function withFilesFound(declared: unknown, folder: string): unknown {
  return files.reduce((value, keys) => withFileFound(value, keys, folder), declared);
}

function withFileFound(value: unknown, [key, ...rest]: readonly string[], folder: string): unknown {
  if (key === undefined) return typeof value === 'string' ? path.resolve(folder, value) : value;
  if (Array.isArray(value)) return key === '*' ? value.map((inner) => withFileFound(inner, rest, folder)) : value;
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      key === '*' || key === name ? withFileFound(inner, rest, folder) : inner,
    ]),
  );
}

async function migrationsFolder(folder: string, colour: string, declared: string): Promise<string> {
  const absolute = path.resolve(folder, declared);
  // What lies beside a sealed declaration is a ConfigMap's: of that what was packed is sealed, and nothing else is taken.
  const beside = isToBeSealed() && `${absolute}/`.startsWith(`${folder}/`);
  if (!beside && existsSync(absolute)) return absolute;
  const packed = await readSealed(path.join(folder, packedName(colour))).catch((cause: unknown) => {
    if (cause instanceof VerdigrisError) throw cause;
    return undefined;
  });
  return packed ? unpackFolder(packed) : absolute;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
