import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fileRefused } from '../../src/model/refused-file.ts';

const of = (code: string, syscall: string): Error => Object.assign(new Error(code), { code, syscall, path: '/srv/x' });

test('what the system refuses to read or write has words; what it refuses otherwise keeps its own', async () => {
  expect(fileRefused(of('EROFS', 'open'))).toMatchObject({ id: 'disk-read-only', facts: { path: '/srv/x' } });
  const open = Object.assign(new Error('EROFS'), { code: 'EROFS', syscall: 'fchown' });
  expect(fileRefused(open)).toMatchObject({ seen: 'A disk that is written to is mounted read-only.', facts: {} });
  for (const code of ['EACCES', 'EPERM'])
    for (const syscall of ['mkdir', 'stat', 'scandir'])
      expect(fileRefused(of(code, syscall))).toMatchObject({ id: 'not-permitted', facts: { path: '/srv/x' } });
  for (const error of [of('EACCES', 'connect'), of('EACCES', 'spawn x'), of('ENOENT', 'open'), 'EROFS', undefined])
    expect(fileRefused(error)).toBeUndefined();
  // As Node itself reports it: nobody makes a folder in /proc.
  const refused: unknown = await mkdir('/proc/verdigris').catch((error: unknown) => error);
  expect((refused as NodeJS.ErrnoException).syscall).toBe('mkdir');
});
