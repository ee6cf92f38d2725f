import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { notWritable } from '../../src/model/not-writable.ts';

const of = (code: string, syscall: string): Error => Object.assign(new Error(code), { code, syscall, path: '/srv/x' });

test('what the system refuses to write has words; what it refuses otherwise keeps its own', async () => {
  expect(notWritable(of('EROFS', 'open'))).toMatchObject({ id: 'disk-read-only', facts: { path: '/srv/x' } });
  for (const code of ['EACCES', 'EPERM'])
    expect(notWritable(of(code, 'mkdir'))).toMatchObject({ id: 'not-permitted', facts: { path: '/srv/x' } });
  for (const error of [of('EACCES', 'connect'), of('EACCES', 'spawn x'), of('ENOENT', 'open'), 'EROFS', undefined])
    expect(notWritable(error)).toBeUndefined();
  // As Node itself reports it: nobody makes a folder in /proc.
  const refused: unknown = await mkdir('/proc/verdigris').catch((error: unknown) => error);
  expect((refused as NodeJS.ErrnoException).syscall).toBe('mkdir');
});
