import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseEnvironment } from '../../src/model/environment.ts';
import { inputIssues, withDefaults } from '../../src/provider/inputs.ts';
import { readSettings } from '../../stacks/settings.ts';

const folder = fileURLToPath(new URL('../../examples/stacks', import.meta.url));
const files = readdirSync(folder).filter((name) => name.startsWith('Pulumi.'));

test('there are examples', () => {
  expect(files.length).toBeGreaterThanOrEqual(3);
});

test.each(files)('%s is a configuration that the program takes, and its declarations are whole', (name) => {
  const { config } = parse(readFileSync(path.join(folder, name), 'utf8')) as { config: Record<string, unknown> };
  for (const key of Object.keys(config)) expect(['verdigris:environments', 'verdigris:onDestroy', 'verdigris:import']).toContain(key);
  const settings = readSettings({ getObject: <T>(key: string) => config[`verdigris:${key}`] as T, get: (key: string) => config[`verdigris:${key}`] as never }, folder);
  for (const [environment, { declaration }] of Object.entries(settings.environments)) {
    expect(parseEnvironment(declaration, environment).platform).toBe('kubernetes');
    const { live, canary, ...rest } = declaration;
    expect(inputIssues(withDefaults({ live, ...(canary === undefined ? {} : { canary }), environment: rest, onDestroy: settings.onDestroy }))).toEqual([]);
  }
});

test('the declarations for the command line are whole', () => {
  for (const name of readdirSync(folder).filter((each) => !each.startsWith('Pulumi.') && each.endsWith('.yaml'))) expect(() => parseEnvironment(parse(readFileSync(path.join(folder, name), 'utf8')), name)).not.toThrow();
});
