import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** Room to floor, from the page's table. */
function readFloors(): Map<string, number> {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const floors = [...page.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)];
  return new Map(
    floors.flatMap(([, floor, rooms = '']) =>
      [...rooms.matchAll(/`([^`]+)`/g)].map(([, room = '']): [string, number] => [room, Number(floor)]),
    ),
  );
}

const floors = readFloors();
const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function roomOf(file: string): string | undefined {
  for (let room = file; room !== '.'; room = path.dirname(room)) if (floors.has(room)) return room;
  return undefined;
}

/** Files of `src` that a text imports, also where only a type is wanted or only later. */
function imported(file: string, text: string): string[] {
  return [...text.matchAll(/(?:from |import\()'(\.[^']+\.ts)'/g)]
    .map(([, to = '']) => path.join(path.dirname(file), to))
    .filter((to) => !to.startsWith('..'));
}

/** The imports that do not go down. */
function misdirected(file: string, text: string): string[] {
  const room = roomOf(file);
  return imported(file, text)
    .filter((to) => roomOf(to) !== room && Number(floors.get(roomOf(to) ?? '')) >= Number(floors.get(room ?? '')))
    .map((to) => `${file} imports ${to}`);
}

test('every file is in a room of the table, and every room has files', () => {
  expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  expect([...floors.keys()].filter((room) => !files.some((file) => roomOf(file) === room))).toEqual([]);
});

test('imports go down', () => {
  expect(files.flatMap((file) => misdirected(file, readFileSync(path.join('src', file), 'utf8')))).toEqual([]);
});

/** A way from a file by its imports back to it, also by those of types and those that are made later. */
function circle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const below = (file: string, above: readonly string[]): readonly string[] | undefined => {
    if (above.includes(file)) return [...above.slice(above.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const to of imports.get(file) ?? []) {
      const found = below(to, [...above, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const found = below(file, []);
    if (found) return found;
  }
  return undefined;
}

test('imports go in no circle', () => {
  const imports = new Map(files.map((file) => [file, imported(file, readFileSync(path.join('src', file), 'utf8'))]));
  expect(circle(imports)).toBe(undefined);
  const [some = ''] = files.filter((file) => file.startsWith('model/'));
  expect(circle(new Map([...imports, ['model/journal.ts', [some]], [some, ['model/journal.ts']]]))).toHaveLength(3);
});

test('an import that goes up or across is found', () => {
  const up = "import type { Status } from '../operations/reads/status.ts';";
  const across = "const { openKubernetes } = await import('../kubernetes/platform.ts');";
  expect(misdirected('model/journal.ts', up)).toEqual(['model/journal.ts imports operations/reads/status.ts']);
  expect(misdirected('platform/local/platform.ts', across)).toHaveLength(1);
});
