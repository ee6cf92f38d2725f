import { expect, test } from 'vitest';
import { refuseNewer, tokenAnnotation, withoutToken, writtenToken } from '../../src/manifests/token.ts';
import { failure } from '../support/failure.ts';

test('an object lets in the token that it was written under and newer ones; one that was edited into no number nobody', async () => {
  const refused = (annotations: Record<string, string> | undefined, token: number) =>
    failure(Promise.resolve().then(() => refuseNewer(annotations, token, 'the Service prod/orders-db')));
  for (const annotations of [undefined, {}, tokenAnnotation(4), tokenAnnotation(5)])
    expect(() => refuseNewer(annotations, 5, 'x')).not.toThrow();
  expect(await refused(tokenAnnotation(6), 5)).toMatchObject({ id: 'stale-token', facts: { token: 5, newest: 6 } });
  for (const edited of ['', 'seven', '-1', '1e9', ' 3', '0x10']) {
    const error = await refused({ 'verdigris.dev/token': edited }, 5);
    expect(error.id).toBe('stale-token');
    expect(error.message).toContain(`of the Service prod/orders-db is ${JSON.stringify(edited)}, which is no number`);
  }
});

test('it is written and read alike, and left out of what says where clients go', () => {
  expect(writtenToken(tokenAnnotation(12))).toBe(12);
  expect(writtenToken()).toBe(0);
  expect(withoutToken({ ...tokenAnnotation(12), other: 'kept' })).toEqual({ other: 'kept' });
});
