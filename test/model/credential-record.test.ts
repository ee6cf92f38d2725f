import { expect, test } from 'vitest';
import { credentialAges, newCredentials, rotatedNow, rotationIsDue } from '../../src/model/credential-record.ts';
import { ownNamed } from '../../src/model/own-passwords.ts';

const roles = { application: ['app'], readers: ['report'] };
const credentials = { rotation: 'a', grace: 0, maxAge: 1_000 };

test('the age of a password counts from its rotation; one that nobody wrote down is old', () => {
  const made = newCredentials({ roles, credentials }, ['operator'], '2026-01-01T00:00:00.000Z');
  const record = rotatedNow(made, 'app', '2026-01-01T00:00:05.000Z');
  const now = Date.parse('2026-01-01T00:00:05.500Z');
  expect(credentialAges({ roles, credentials }, record, now)).toEqual([
    { role: 'report', since: '2026-01-01T00:00:00.000Z', old: true },
    { role: 'verdigris_operator', since: '2026-01-01T00:00:00.000Z', old: true },
    { role: 'app', since: '2026-01-01T00:00:05.000Z', old: false },
  ]);
  expect(credentialAges({ roles, credentials }, undefined, now).every(({ old }) => old)).toBe(true);
  expect(credentialAges({ roles, credentials: { grace: 0 } }, undefined, now).some(({ old }) => old)).toBe(false);
});

test('a rotation is due once for each text, and until it has ended', () => {
  const made = newCredentials({ roles, credentials }, []);
  expect(rotationIsDue({ credentials }, made)).toBe(false);
  expect(rotationIsDue({ credentials: { ...credentials, rotation: 'b' } }, made)).toBe(true);
  expect(
    rotationIsDue({ credentials }, { since: {}, rotation: { name: 'a', begun: '2026-01-01T00:00:00.000Z' } }),
  ).toBe(true);
  expect(rotationIsDue({ credentials: { grace: 0 } }, made)).toBe(false);
});

test("a role of the declaration goes before one of Verdigris's own that is called so", () => {
  expect(ownNamed('operator', ['app'])).toBe('operator');
  expect(ownNamed('operator', ['operator'])).toBeUndefined();
  expect(ownNamed('verdigris_operator', ['operator'])).toBe('operator');
  expect(ownNamed('app', ['app'])).toBeUndefined();
});
