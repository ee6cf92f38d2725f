/** What an entry of `[databases]` says of a database, in its order. */
type Settings = readonly (readonly [key: string, value: string])[];

export interface EntryTarget {
  readonly host: string;
  readonly port: number;
}

interface Line {
  readonly index: number;
  readonly settings: Settings;
}

const setting = /([a-z_]+)\s*=\s*(?:'((?:[^']|'')*)'|(\S*))/g;

/** The entry of a database in PgBouncer's configuration; undefined where the section `[databases]` has none of it. */
export function pgbouncerEntry(text: string, database: string): Settings | undefined {
  return find(text.split('\n'), database)?.settings;
}

/** The same text with an entry that leads elsewhere; all else that it says stays. */
export function pointed(text: string, database: string, target: EntryTarget): string {
  const lines = text.split('\n');
  const found = find(lines, database);
  if (!found) return text;
  return lines.with(found.index, entry(database, moved(found.settings, target))).join('\n');
}

/** The same text with an entry of ours, for the same database of a server as `like` has, right behind that one. */
export function withEntry(text: string, name: string, like: string, target: EntryTarget): string {
  const lines = without(text, name).split('\n');
  const found = find(lines, like);
  if (!found) return text;
  const named = found.settings.some(([key]) => key === 'dbname');
  const settings: Settings = named ? found.settings : [['dbname', like], ...found.settings];
  return lines.toSpliced(found.index + 1, 0, entry(name, moved(settings, target))).join('\n');
}

export function without(text: string, name: string): string {
  const lines = text.split('\n');
  const found = find(lines, name);
  return found ? lines.toSpliced(found.index, 1).join('\n') : text;
}

function find(lines: readonly string[], database: string): Line | undefined {
  let inside = false;
  // PgBouncer takes the last entry of a name.
  let found: Line | undefined;
  for (const [index, line] of lines.entries()) {
    const [, section] = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line) ?? [];
    if (section !== undefined) inside = section === 'databases';
    const [, quoted, plain, value = ''] = /^\s*(?:"((?:[^"]|"")*)"|([^\s=;#"%]+))\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const name = quoted?.replaceAll('""', '"') ?? plain;
    if (inside && name === database) found = { index, settings: parse(value) };
  }
  return found;
}

function parse(value: string): Settings {
  return [...value.matchAll(setting)].map(([, key = '', quoted, plain = '']) => [
    key,
    quoted?.replaceAll("''", "'") ?? plain,
  ]);
}

function moved(settings: Settings, { host, port }: EntryTarget): Settings {
  const rest = settings.filter(([key]) => key !== 'host' && key !== 'port');
  return [['host', host], ['port', String(port)], ...rest];
}

function entry(name: string, settings: Settings): string {
  const quoted = /^[A-Za-z0-9_.-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
  const text = settings.map(([key, value]) => `${key}=${/^[^\s';]+$/.test(value) ? value : quotedValue(value)}`);
  return `${quoted} = ${text.join(' ')}`;
}

function quotedValue(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
