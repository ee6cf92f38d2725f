import { ident } from '../quote.ts';

const name = String.raw`(?:"(?:[^"]|"")*"|[^\s;"]+)`;

/** What a script says of its own database. */
const ofItsOwn = [
  String.raw`^(ALTER\s+DATABASE\s+)${name}(\s+(?:RESET|SET(?!\s+TABLESPACE))\s)`,
  String.raw`^(COMMENT\s+ON\s+DATABASE\s+)${name}(\s+IS\s)`,
  String.raw`^(ALTER\s+(?:ROLE|USER)\s+${name}\s+IN\s+DATABASE\s+)${name}(\s)`,
].map((pattern) => new RegExp(pattern, 'i'));

/** The statement as it is said of the database `database`, whatever the script's own is called. */
export function ofDatabase(sql: string, database: string): string {
  const said = ofItsOwn.find((pattern) => pattern.test(sql));
  return said ? sql.replace(said, (_, before: string, after: string) => before + ident(database) + after) : sql;
}

/**
 * Why a statement of the script is left out, or undefined. The environment has its database already, and settings
 * of another server's make must not stop a load.
 */
export function reasonToSkip(sql: string, serverMajor: number): string | undefined {
  if (ofItsOwn.some((pattern) => pattern.test(sql))) return undefined;
  if (/^(CREATE|DROP|ALTER)\s+DATABASE\b/i.test(sql) || /^(GRANT|REVOKE)\b[^;]*?\sON\s+DATABASE\b/i.test(sql)) {
    return 'the database is given by the environment';
  }
  if (/^SET\s+transaction_timeout\b/i.test(sql) && serverMajor < 17)
    return `PostgreSQL ${serverMajor} has no transaction_timeout`;
  return undefined;
}

/** The encoding that `SET client_encoding` or SET NAMES declares, upper case; undefined for any other statement. */
export function declaredEncoding(sql: string): string | undefined {
  const [, first, second] =
    /^SET\s+(?:SESSION\s+)?(?:client_encoding\s*(?:=|\sTO\b)\s*'?([\w-]+)'?|NAMES\s+'?([\w-]+)'?)/i.exec(sql) ?? [];
  return (first ?? second)?.toUpperCase();
}

/** SQL_ASCII declares nothing, and ASCII bytes are UTF-8. */
export function isUtf8Name(encoding: string): boolean {
  return /^(UTF-?8|UNICODE|SQL_ASCII|DEFAULT)$/i.test(encoding);
}
