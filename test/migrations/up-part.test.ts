import { expect, test } from 'vitest';
import { asksForNoTransaction } from '../../src/migrations/transaction-note.ts';
import { upPart } from '../../src/migrations/up-part.ts';

/** The way up of each tool's own form; `DROP` stands in the way down alone. */
const files: Readonly<Record<string, string>> = {
  goose: '-- +goose Up\nCREATE TABLE ä (id int);\n-- +goose Down\nDROP TABLE ä;\n',
  'sql-migrate': '-- +migrate Up\nCREATE TABLE ä (id int);\n-- +migrate Down\nDROP TABLE ä;\n',
  dbmate: '-- migrate:up\nCREATE TABLE ä (id int);\n\n-- migrate:down\nDROP TABLE ä;\n',
  tern: 'CREATE TABLE ä (id int);\n---- create above / drop below ----\nDROP TABLE ä;\n',
  'node-pg-migrate': '-- Up Migration\nCREATE TABLE ä (id int);\n-- Down Migration\nDROP TABLE ä;\n',
  'play-evolutions': '# --- !Ups\nCREATE TABLE ä (id int);\n# --- !Downs\nDROP TABLE ä;\n',
  rambler: '-- rambler up\nCREATE TABLE ä (id int);\n-- rambler down\nDROP TABLE ä;\n',
  atlas:
    '-- atlas:txtar\n\n-- checks.sql --\nDROP ä;\n' +
    '-- migration.sql --\nCREATE TABLE ä (id int);\n-- down.sql --\nDROP TABLE ä;\n',
  mybatis: '-- // first\nCREATE TABLE ä (id int);\n-- //@UNDO\nDROP TABLE ä;\n',
};

test.each(Object.entries(files))('%s: only the way up is left, each byte where it was', (tool, text) => {
  const up = upPart(text);
  expect(up.tool).toBe(tool);
  expect(up.text).toContain('CREATE TABLE ä');
  expect(up.text).not.toContain('DROP');
  expect(up.text).not.toContain('#');
  expect(Buffer.byteLength(up.text)).toBe(Buffer.byteLength(text));
  expect(Buffer.from(up.text).indexOf('CREATE')).toBe(Buffer.from(text).indexOf('CREATE'));
});

test('a way down that stands first is left out, and what follows is read', () => {
  const { text } = upPart('-- +goose Down\nDROP TABLE a;\n-- +goose Up\nCREATE TABLE a ();\n');
  expect(text).not.toContain('DROP');
  expect(text).toContain('CREATE TABLE a ();');
});

test('a file without markers is all way up', () => {
  const text = "-- goes up\nSELECT '-- +goose'; DROP TABLE a;";
  expect(upPart(text)).toEqual({ tool: undefined, text, noTransaction: false });
});

test.each([
  '-- verdigris: no-transaction\nSELECT 1;',
  '-- verdigris: no-transaction because the index is large\nSELECT 1;',
  '-- no-transaction\nSELECT 1;',
  '-- atlas:txmode none\nSELECT 1;',
  '-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;',
  '-- migrate:up transaction:false\nSELECT 1;',
  '-- +migrate Up notransaction\nSELECT 1;',
  '/* verdigris: no-transaction because it is long */\r\nSELECT 1;',
])('%j runs outside a transaction', (text) => {
  expect(asksForNoTransaction(text)).toBe(true);
});

test.each([
  '-- there is no transaction here yet\nSELECT 1;',
  '-- migrate:up\nSELECT 1;',
  "SELECT '-- no-transaction ';",
])('%j runs in one', (text) => {
  expect(asksForNoTransaction(text)).toBe(false);
});
