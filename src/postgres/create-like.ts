import { z } from 'zod';
import { VerdigrisError } from '../model/errors.ts';
import { one, rows, type Client } from './client.ts';
import type { ConnectionSettings } from './connection.ts';
import { withOwnSession } from './session.ts';
import { majorOf } from './major.ts';
import { ident, literal } from './quote.ts';

/** How a database keeps text and orders it. */
export const localeSchema = z.strictObject({
  encoding: z.string(),
  provider: z.string(),
  collate: z.string(),
  ctype: z.string(),
  /** Of ICU, and from PostgreSQL 17 on of the builtin provider. */
  locale: z.string().nullable(),
  /** Of ICU, from PostgreSQL 16 on: further rules of the order. */
  rules: z.string().nullable(),
});

export type Locale = z.output<typeof localeSchema>;

const localeOf = `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider, datcollate AS collate,
    datctype AS ctype, coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale,
    to_jsonb(d)->>'daticurules' AS rules
  FROM pg_database d WHERE datname = coalesce($1, current_database())`;

const providers: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };

/**
 * Makes the database on another server, where it is not there yet, with the encoding and the order of text of this one.
 * Of one that is there it says, for people, where it differs.
 * @throws VerdigrisError `candidate-locale` where that server does not have them, or the database that is there cannot
 * hold the text of this one.
 */
export async function createLike(
  live: Client,
  candidate: ConnectionSettings,
  database: string,
): Promise<string | undefined> {
  const wanted = await readLocale(live);
  return withOwnSession(candidate, 'seed', async (client) => {
    const [there] = await rows<Locale>(client, localeOf, [database]);
    if (there) return compared(database, wanted, there);
    await makeLike(client, database, wanted);
    return undefined;
  });
}

/** Of the session's own database, or of another one that is there. */
export function readLocale(client: Client, database?: string): Promise<Locale> {
  return one<Locale>(client, localeOf, [database ?? null]);
}

/** @throws VerdigrisError `candidate-locale` where the server does not have them. */
export async function makeLike(client: Client, database: string, wanted: Locale, tablespace?: string): Promise<void> {
  const where = tablespace === undefined ? '' : ` TABLESPACE ${ident(tablespace)}`;
  const how = `${clauses(wanted, await majorOf(client))}${where}`;
  await client.query(`CREATE DATABASE ${ident(database)} TEMPLATE template0 ${how}`).catch((cause: unknown) => {
    throw new VerdigrisError('candidate-locale', {
      seen: `The candidate's server cannot make a database as the live one is (${how}): ${(cause as Error).message}.`,
      required:
        'the same encoding and collation: otherwise queries return rows in another order, and unique text may not stay unique.',
      next: 'install the locale on that machine (on Debian: dpkg-reconfigure locales), or create the empty database there yourself as you want it.',
      cause,
    });
  });
}

/** @throws VerdigrisError `candidate-locale` */
function compared(database: string, live: Locale, candidate: Locale): string | undefined {
  if (candidate.encoding !== live.encoding && candidate.encoding !== 'UTF8')
    throw new VerdigrisError('candidate-locale', {
      seen: `The database ${database} of the candidate has the encoding ${candidate.encoding}, the live one has ${live.encoding}.`,
      required: `the encoding ${live.encoding}, or UTF8: replication stops at the first text that the candidate cannot hold.`,
      next: `drop that empty database, and have Verdigris make it, or create it with ENCODING ${literal(live.encoding)}; then the same command again.`,
    });
  const told = [
    ...(candidate.encoding === live.encoding
      ? []
      : [
          `its encoding is UTF8, not ${live.encoding}: text that ${live.encoding} cannot hold ends the lossless rollback`,
        ]),
    ...(orderOf(candidate) === orderOf(live)
      ? []
      : [
          `it orders text by ${orderOf(candidate)}, the live one by ${orderOf(live)}: ` +
            'rows come in another order, and unique text may not stay unique',
        ]),
  ];
  return told.length === 0 ? undefined : `the database ${database} was there already: ${told.join('; ')}`;
}

/** Names of one locale of libc are written in several ways. */
function orderOf({ provider, collate, ctype, locale, rules }: Locale): string {
  const plain = (name: string): string => name.toLowerCase().replace(/utf-?8/, 'utf8');
  const named = provider === 'c' ? [...new Set([plain(collate), plain(ctype)])].join(' and ') : locale;
  return [`${named} (${providers[provider] ?? 'libc'})`, ...(rules ? [`with rules ${rules}`] : [])].join(' ');
}

function clauses({ encoding, provider, collate, ctype, locale, rules }: Locale, major: number): string {
  const named = provider === 'i' ? 'ICU_LOCALE' : major >= 17 ? 'BUILTIN_LOCALE' : undefined;
  return [
    `ENCODING ${literal(encoding)} LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}`,
    `LOCALE_PROVIDER ${providers[provider] ?? 'libc'}`,
    ...(locale !== null && named !== undefined && provider !== 'c' ? [`${named} ${literal(locale)}`] : []),
    ...(rules !== null && provider === 'i' ? [`ICU_RULES ${literal(rules)}`] : []),
  ].join(' ');
}
