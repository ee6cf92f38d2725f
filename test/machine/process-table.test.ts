import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { linuxTable, macTable } from '../../src/machine/process-table.ts';
import { temporaryFolder } from '../support/postgres.ts';

/** This machine's `ps` knows the options that macOS's is asked with; its `sysctl` does not know the same names. */
const tables = { '/proc': linuxTable, 'ps and sysctl': macTable };

test.each(Object.entries(tables))('by %s a process is known by when it began, until it has ended', async (_, table) => {
  const child = spawn('sleep', ['30']);
  const { pid = 0 } = child;
  onTestFinished(() => void child.kill());
  const began = await table.start(pid);
  expect(began).toMatch(/^\d+$/);
  expect(await table.start(pid)).toBe(began);
  expect(await table.command(pid)).toMatch(/sleep.30/);
  child.kill();
  await once(child, 'exit');
  expect([await table.start(pid), await table.command(pid)]).toEqual(['', '']);
});

test('a zombie has ended, whoever is asked', async () => {
  // A shell that starts a child and becomes a program that never asks for its end.
  const shell = spawn('sh', ['-c', 'true & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void shell.kill());
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  for (const table of Object.values(tables)) await expect.poll(() => table.start(pid), { timeout: 5_000 }).toBe('');
});

test('macOS is asked which boot it is', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'sysctl');
  await writeFile(
    file,
    '#!/bin/sh\n[ "$*" = "-n kern.bootsessionuuid" ] && echo 6F9619FF-8B86-D011-B42D-00C04FC964FF\n',
  );
  await chmod(file, 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect([await macTable.boot(), await macTable.namespace()]).toEqual(['6F9619FF-8B86-D011-B42D-00C04FC964FF', 'mac']);
});
