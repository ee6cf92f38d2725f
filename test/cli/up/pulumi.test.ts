import { PulumiCommand } from '@pulumi/pulumi/automation/index.js';
import { afterEach, expect, test, vi } from 'vitest';
import { findPulumi } from '../../../src/cli/up/pulumi.ts';
import { document } from '../../docs/sources.ts';
import { failure } from '../../support/failure.ts';

afterEach(() => vi.restoreAllMocks());

const nobody = (): Promise<never> => Promise.reject(new Error('spawn pulumi ENOENT'));
const installed = Object.create(PulumiCommand.prototype) as PulumiCommand;

test('the pulumi of the PATH is taken, and nothing is installed beside it', async () => {
  vi.spyOn(PulumiCommand, 'get').mockResolvedValue(installed);
  const install = vi.spyOn(PulumiCommand, 'install');
  expect(await findPulumi(() => undefined)).toBe(installed);
  expect(install).not.toHaveBeenCalled();
});

test("without one, what Pulumi's install script brought is taken, and it is said beforehand", async () => {
  vi.spyOn(PulumiCommand, 'get').mockImplementation(nobody);
  vi.spyOn(PulumiCommand, 'install').mockResolvedValue(installed);
  const said: string[] = [];
  expect(await findPulumi((text) => said.push(text))).toBe(installed);
  expect(said).toEqual([expect.stringContaining('get.pulumi.com')]);
});

test('where neither works it says why of both, and what to unpack; the part of the README that it names is there', async () => {
  vi.spyOn(PulumiCommand, 'get').mockImplementation(nobody);
  vi.spyOn(PulumiCommand, 'install').mockRejectedValue(new Error('curl: (6) Could not resolve host'));
  const { id, seen, next = '' } = await failure(findPulumi(() => undefined));
  expect(id).toBe('no-pulumi');
  expect(seen).toContain('ENOENT');
  expect(seen).toContain('Could not resolve host');
  expect(next).toContain('unpack an archive');
  const [, heading = ''] = /README, "([^"]+)"/.exec(next) ?? [];
  expect(document('README.md')).toContain(`\n## ${heading}\n`);
});
