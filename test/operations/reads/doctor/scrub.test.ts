import { expect, test } from 'vitest';
import { scrub, scrubLog } from '../../../../src/operations/reads/doctor/scrub.ts';

test('a secret goes from a bundle in whatever words it stands, and what is no secret stays', () => {
  const kept = '{"token": 7, "name":"password_encryption","setting":"on"} primary key';
  expect(scrub(kept, [])).toBe(kept);
  for (const text of [
    "ALTER ROLE a PASSWORD 'it''s-x'",
    'host=h password=s3-x user=u',
    'postgresql://a:s3-x@h/d',
    '{"apiKey":"s3-x"}',
    'PGPASSWORD=s3-x',
    'SCRAM-SHA-256$4096:s3-x$a:b',
    '-----BEGIN PRIVATE KEY-----\ns3-x\n-----END PRIVATE KEY-----',
    'a word like s3-x alone',
  ])
    expect(scrub(text, ['a word like s3-x'])).not.toMatch(/-x/);
  const log = `t ERROR:  duplicate key\nt DETAIL:  Key (mail)=(me@x) already exists.\nt STATEMENT:  SELECT 1\n\tFROM me\nt LOG:  ready`;
  expect(scrubLog(log, [])).toBe(
    't ERROR:  duplicate key\nt DETAIL:  Key (mail)=(…) already exists.\nt STATEMENT:  [removed]\nt LOG:  ready',
  );
});
