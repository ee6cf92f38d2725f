import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { withEnvironment } from '../support/environment.ts';
import { atTerminal, type Terminal } from '../support/pty.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';

test('switch, rollback and retire ask at a terminal with what they cost and give up: no, Enter and Ctrl-C change nothing, yes does it', async () => {
  await withEnvironment({ declaration: { retention: { retained: '1d' } } }, async (shop) => {
    const at = (...args: string[]): Terminal => atTerminal(args, shop.folder, { VERDIGRIS_HOME: shop.home });
    const state = async (): Promise<string> => (await readJournal(shop.platform.journal)).state;
    const answer = async (verb: string, words: readonly string[], keys: string): Promise<number | null> => {
      const terminal = at(verb);
      await terminal.shows(`${verb}? [y/N]`);
      for (const word of words) expect(terminal.shown()).toContain(word);
      terminal.types(keys);
      return terminal.ended;
    };
    for (const verb of ['seed', 'migrate', 'verify'] as const) await shop.verb(verb);

    const moves = ['Writes move from blue to green (release 2)', 'clients are held meanwhile (at most 10s)'];
    expect(await answer('switch', moves, 'n\r')).toBe(4);
    expect(await answer('switch', moves, '\r')).toBe(4);
    expect(await answer('switch', moves, '\x03')).toBe(130);
    expect(await state()).toBe('verified');
    expect(await answer('switch', moves, 'yes\r')).toBe(0);
    expect(await state()).toBe('switched');

    const removed = [
      'blue (release 1) is removed with its data, and every way back with it',
      'It was to be kept until',
    ];
    expect(await answer('retire', removed, 'n\r')).toBe(4);
    const back = ['Writes move back from green to blue (release 1)', 'the last time, at most 10s', 'goes along'];
    expect(await answer('rollback', back, 'no\r')).toBe(4);
    expect(await state()).toBe('switched');
    expect(await answer('rollback', back, 'y\r')).toBe(0);
    expect(await state()).toBe('migrated');
  });
});

test('init asks for each answer with one to begin with, takes Enter for it, and never asks twice for what is there', async () => {
  const folder = await temporaryFolder();
  const answers = at(folder);
  const questions: readonly (readonly [question: string, answer: string])[] = [
    ['Name of the environment [', 'crm'],
    ['Database that is released [crm]', ''],
    ['Roles that write, by commas [app]', 'web, jobs'],
    ['Roles that only read, by commas', ''],
    ['Release of your software that runs now [1]', '7'],
    ['PostgreSQL major [17]', ''],
  ];
  for (const [question, answer] of questions) {
    await answers.shows(question);
    answers.types(`${answer}\r`);
  }
  expect(await answers.ended).toBe(0);
  const file = path.join(folder, 'verdigris.yaml');
  const written = await readFile(file, 'utf8');
  expect(parse(written)).toMatchObject({
    name: 'crm',
    database: 'crm',
    roles: { application: ['web', 'jobs'], readers: [], owner: 'crm_owner' },
    colours: { blue: { release: '7', postgres: 17 } },
  });
  const again = at(folder);
  expect(await again.ended).toBe(2);
  expect(again.shown()).toContain('verdigris.yaml is there already');
  expect(again.shown()).not.toContain('Name of the environment');
  expect(await readFile(file, 'utf8')).toBe(written);
});

function at(folder: string): Terminal {
  return atTerminal(['init'], folder, {});
}
