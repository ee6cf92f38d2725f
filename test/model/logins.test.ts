import { expect, test } from 'vitest';
import { loginsOf, nextLogin } from '../../src/model/logins.ts';

test('the logins of a role are three names as PostgreSQL keeps them, however long its own is', () => {
  expect(loginsOf('app')).toEqual(['app', 'app_1', 'app_2']);
  for (const role of ['a'.repeat(61), 'a'.repeat(62), 'a'.repeat(63), 'ü'.repeat(31), `${'ü'.repeat(31)}a`]) {
    const logins = loginsOf(role);
    expect(new Set(logins).size).toBe(3);
    for (const login of logins) expect(Buffer.byteLength(login)).toBeLessThanOrEqual(63);
    expect(nextLogin(role, nextLogin(role, role))).toBe(logins[2]);
  }
});
