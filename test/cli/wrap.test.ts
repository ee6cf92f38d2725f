import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { wrapText } from '../../src/cli/wrap.ts';

const text = [
  '\u001b[1mshop\u001b[22m is \u001b[31mverified\u001b[39m: the candidate was proved to hold the same data, and nothing happened since',
  'replication  blue → green: applying, slot reserved, lag 0 B, 0.0 s, WAL retained 12 kB, and some more',
  '      fix: ALTER TABLE "shop"."audit" REPLICA IDENTITY FULL; and so on for each of the others below it',
  '    risk:  \u001b[2mclients wait for it, limits.pause at most, or less than that; where it fails all of them go on as before\u001b[22m',
  "  \u001b[32m✓\u001b[39m carry beforehand what replication does not \u001b[2m— 1 sequence, 0 changes, 0 rows of the tools' own histories, and more\u001b[22m",
  'disk free    journal 21.2 GB of 25.3 GB, blue 21.2 GB of 25.3 GB, green 21.2 GB of 25.3 GB, and one more besides',
  '  \u001b[1mstopped  \u001b[22m by what preflight refuses, a transaction older than 1m, a lock that is not had within 5s, or a row that differs',
  'averyveryverylongwordwithoutanyspaceinitthatgoesonandonandonandonandonandonandonandonandonandonandonandonandonandonandon',
].join('\n');

test.each([60, 80, 120])(
  'no line is wider than %i columns, no word is lost, and what goes on hangs below its beginning',
  (columns) => {
    const lines = stripVTControlCharacters(wrapText(text, columns)).split('\n');
    expect(lines.filter((line) => line.length > columns || line.endsWith(' '))).toEqual([]);
    expect(lines.join('').replaceAll(' ', '')).toBe(stripVTControlCharacters(text).replaceAll(/\s/g, ''));
    if (columns === 60) expect(lines.filter((line) => line.startsWith(' '.repeat(13)))).toHaveLength(3);
    // What has a mark hangs behind it.
    const at = lines.findIndex((line) => line.startsWith('  ✓ '));
    if (columns < 120) expect(lines[at + 1]).toMatch(/^ {4}\S/);
    if (columns < 120) expect(lines.find((line) => /^ {12}\S/.test(line))).toBeDefined();
  },
);
