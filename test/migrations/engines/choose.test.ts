import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { chooseEngine, detectEngine } from '../../../src/migrations/engines/choose.ts';
import { findTool } from '../../../src/migrations/engines/tool.ts';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { fill } from './folder.ts';
import { examples } from './support.ts';

test.each(['sql', 'flyway', 'liquibase', 'prisma', 'node-pg-migrate'] as const)(
  'the example of %s is known by its files',
  async (engine) => {
    expect(await detectEngine(path.join(examples, engine))).toBe(engine);
    expect((await chooseEngine(path.join(examples, engine), undefined)).name).toBe(engine);
  },
);

async function withFiles(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await fill(folder, files);
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('files of two engines in one folder are refused, with both named; a declared engine decides', async () => {
  await withFiles({ 'V1__a.sql': '', '0001_b.sql': '' }, async (folder) => {
    await expect(chooseEngine(folder, undefined)).rejects.toMatchObject({
      id: 'migrations-two-engines',
      seen: expect.stringMatching(/0001_b\.sql \(sql\).*V1__a\.sql \(flyway\)/),
    });
    expect((await chooseEngine(folder, 'flyway')).name).toBe('flyway');
    expect((await chooseEngine(folder, { command: ['true'] })).name).toBe('command');
  });
  await withFiles({ 'changelog.xml': '', 'prisma/schema.prisma': '' }, async (folder) => {
    await expect(detectEngine(folder)).rejects.toMatchObject({ id: 'migrations-two-engines' });
  });
  // node-pg-migrate takes SQL files too.
  await withFiles({ '1_a.js': '', '2_b.sql': 'SELECT 1;' }, async (folder) =>
    expect(await detectEngine(folder)).toBe('node-pg-migrate'),
  );
});

test('an engine that is not installed says how to get it', async () => {
  await withFiles({}, async (folder) => {
    await expect(
      findTool({ name: 'Flyway', command: 'flyway-nowhere', get: 'install it' }, folder),
    ).rejects.toMatchObject({ code: 'declaration', id: 'engine-missing', next: 'install it' });
  });
});

test('the declaration takes an engine by name or as a command, and refuses others with the path', () => {
  const declare = (engine: unknown) =>
    parseEnvironment(
      {
        name: 'shop',
        platform: 'local',
        database: 'shop',
        roles: { application: ['app'] },
        colours: { blue: { release: '1', postgres: 17, engine } },
        live: 'blue',
      },
      'the test',
    );
  expect(declare('prisma').colours.blue?.engine).toBe('prisma');
  expect(declare({ command: ['make', 'migrate'] }).colours.blue?.engine).toEqual({ command: ['make', 'migrate'] });
  expect(() => declare('sqitch')).toThrow(/colours\.blue\.engine/);
  expect(() => declare({ command: [] })).toThrow(/colours\.blue\.engine/);
});
