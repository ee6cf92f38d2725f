import { VerdigrisError } from '../model/errors.ts';
import { one, rows, type Client } from './client.ts';
import type { ConnectionSettings } from './connection.ts';
import { withOwnSession } from './session.ts';
import { majorOf } from './major.ts';
import { ident, literal } from './quote.ts';

interface Locale {
  readonly encoding: string;
  readonly provider: string;
  readonly collate: string;
  readonly ctype: string;
  /** Of ICU, and from PostgreSQL 17 on of the builtin provider. */
  readonly locale: string | null;
}

const providers: Readonly<Record<string, string>> = { c: 'libc', i: 'icu', b: 'builtin' };

/**
 * Makes the database on another server, where it is not there yet, with the encoding and the order of text of this one.
 * @throws VerdigrisError `candidate-locale` where that server does not have them.
 */
export async function createLike(live: Client, candidate: ConnectionSettings, database: string): Promise<void> {
  const wanted = await one<Locale>(
    live,
    `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider AS provider, datcollate AS collate, datctype AS ctype,
      coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale FROM pg_database d WHERE datname = current_database()`,
  );
  await withOwnSession(candidate, 'seed', async (client) => {
    const there = await rows(client, 'SELECT FROM pg_database WHERE datname = $1', [database]);
    if (there.length > 0) return;
    const major = await majorOf(client);
    await client
      .query(`CREATE DATABASE ${ident(database)} TEMPLATE template0 ${clauses(wanted, major)}`)
      .catch((cause: unknown) => {
        throw new VerdigrisError('candidate-locale', {
          seen: `The candidate's server cannot make a database as the live one is (${clauses(wanted, major)}): ${(cause as Error).message}.`,
          required:
            'the same encoding and collation: otherwise queries return rows in another order, and unique text may not stay unique.',
          next: 'install the locale on that machine (on Debian: dpkg-reconfigure locales), or create the empty database there yourself as you want it.',
          cause,
        });
      });
  });
}

function clauses({ encoding, provider, collate, ctype, locale }: Locale, major: number): string {
  const named = provider === 'i' ? 'ICU_LOCALE' : major >= 17 ? 'BUILTIN_LOCALE' : undefined;
  return [
    `ENCODING ${literal(encoding)} LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}`,
    `LOCALE_PROVIDER ${providers[provider] ?? 'libc'}`,
    ...(locale !== null && named !== undefined && provider !== 'c' ? [`${named} ${literal(locale)}`] : []),
  ].join(' ');
}
