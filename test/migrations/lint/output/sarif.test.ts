import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import Ajv from 'ajv';
import { expect, test } from 'vitest';
import { lintFiles } from '../../../../src/migrations/lint/lint.ts';
import { sarifReport } from '../../../../src/migrations/lint/output/sarif.ts';
import { unsafe } from '../corpus/unsafe.ts';

test('SARIF of the whole corpus is valid by the schema of OASIS', async () => {
  const matchers = path.dirname(createRequire(import.meta.url).resolve('@microsoft/jest-sarif'));
  const schema = JSON.parse(await readFile(path.join(matchers, 'schemas/sarif-2.1.0-rtm.5.json'), 'utf8')) as object;
  const ajv = new Ajv({ allErrors: true, schemaId: 'auto' });
  // The schema is of draft 04, which ajv does not have by itself.
  ajv.addMetaSchema(
    JSON.parse(
      await readFile(
        path.join(
          path.dirname(createRequire(import.meta.url).resolve('ajv/package.json')),
          'lib/refs/json-schema-draft-04.json',
        ),
        'utf8',
      ),
    ) as object,
  );
  const validate = ajv.compile(schema);
  const files = unsafe.map(([text], index) => ({
    path: `m/${index} #?ü.sql`,
    text: `-- verdigris: allow drop-table because x\n${text}`,
  }));
  const log = JSON.parse(sarifReport(await lintFiles(files))) as { runs: { results: unknown[] }[] };
  expect(validate(log) ? [] : validate.errors).toEqual([]);
  expect(log.runs[0]?.results.length).toBeGreaterThan(200);
  expect(validate({ ...log, version: 2 })).toBe(false);
});
