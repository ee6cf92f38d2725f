import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { loadProgram } from '../../src/cli/program.ts';
import { codeFiles, document, root } from './sources.ts';

const program = await loadProgram();

/** What is within backticks and begins with the command's name, in one line; without what a template fills in. */
function advised(text: string): string[] {
  return [...text.matchAll(/`((?:npx )?verdigris [^`\n]+)`/g)].map(([, command = '']) =>
    command.replaceAll(/\$\{[^}]*\}?\S*|\\/g, ' ').trim(),
  );
}

/** Commands of a page's shell blocks, without what follows them: a comment, another command, a file to write to. */
function shown(page: string): string[] {
  const blocks = [...page.matchAll(/```sh\n([^]*?)```|^((?: {4}.*\n)+)/gm)].map(
    ([, fenced, indented]) => fenced ?? indented ?? '',
  );
  return blocks.flatMap((block) =>
    [...block.replaceAll('\\\n', ' ').matchAll(/^\s*((?:npx )?verdigris [^#|;&>\n]+)/gm)].map(([, line = '']) =>
      line.trim(),
    ),
  );
}

/** Why the command line would not take it; undefined where it does. Words in capitals stand for others. */
function refusal(line: string): string | undefined {
  const [, ...words] = line.replace(/^npx /, '').split(/\s+/);
  let command: Command = program;
  for (const word of words) {
    const below = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (below) command = below;
    else break;
  }
  if (command === program && words.some((word) => /^[a-z]/.test(word))) return `${line}: no such command`;
  const known = new Set(
    [...command.options, ...program.options, helpOf(command)].flatMap(({ long, short }) => [long, short]),
  );
  const unknown = words.filter((word) => word.startsWith('-') && !known.has(word.split('=')[0] as string));
  return unknown.length === 0 ? undefined : `${line}: no option ${unknown.join(', ')}`;
}

function helpOf(command: Command): { long?: string; short?: string } {
  return command.name() === '' ? {} : { long: '--help', short: '-h' };
}

function refusals(lines: readonly string[]): string[] {
  return [...new Set(lines)].flatMap((line) => refusal(line) ?? []);
}

test('what the pages advise is a command that there is, with options that it has', () => {
  const pages = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  const texts = pages.filter((name) => name.endsWith('.md')).map((name) => document(`docs/${name}`));
  const lines = [...texts, document('README.md')].flatMap((page) => [...advised(page), ...shown(page)]);
  expect(lines.length).toBeGreaterThan(290);
  expect(refusals(lines)).toEqual([]);
});

test('so is what errors and findings print as the next step', () => {
  const lines = codeFiles('src').flatMap((file) => advised(document(file)));
  expect(lines.length).toBeGreaterThan(200);
  expect(refusals(lines)).toEqual([]);
});

test('a command or an option that is gone is found', () => {
  expect(refusal('verdigris repair')).toContain('no such command');
  expect(refusal('verdigris switch --lossy')).toContain('no option --lossy');
  expect(refusal('verdigris rollback --lossy')).toBe(undefined);
});
