import type { Finding } from '../../model/finding.ts';
import { one, rows } from '../client.ts';
import { majorOf } from '../major.ts';
import { ident } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';

/** The oldest live server whose catalogues and publications Verdigris knows. */
const oldestLive = 12;

/**
 * Column lists of publications came with PostgreSQL 15; pg_upgrade goes up only, and so does logical replication by
 * Verdigris.
 */
export function versionFindings(liveMajor: number, candidateMajor: number): Finding[] {
  return [
    ...found('server-version', {
      title:
        liveMajor < oldestLive
          ? `the live server is PostgreSQL ${liveMajor}`
          : `the candidate is declared with PostgreSQL ${candidateMajor}`,
      objects:
        liveMajor < oldestLive
          ? [`PostgreSQL ${liveMajor}`]
          : candidateMajor < 15
            ? [`PostgreSQL ${candidateMajor}`]
            : [],
      reason:
        'Publications have column lists only from PostgreSQL 15 on: the way back needs them where the schemas differ. A live server is read from 12 on.',
    }),
    ...found('candidate-older', {
      title: `the candidate is declared with PostgreSQL ${candidateMajor}, the live server is ${liveMajor}`,
      objects: candidateMajor < liveMajor ? [`PostgreSQL ${candidateMajor}`] : [],
      reason: 'The copy of a data directory cannot be started by an older major.',
      fix: `Declare PostgreSQL ${liveMajor} or later for the candidate.`,
    }),
  ];
}

export const version: Check = {
  id: 'version',
  hazards: [],
  title: 'PostgreSQL majors',
  on: 'live',
  when: everyGate,
  findings: ['server-version', 'candidate-older'],
  run: async (client, { candidateMajor, gate }) => {
    const major = await majorOf(client);
    return versionFindings(major, gate === 'seed' ? candidateMajor : Math.max(major, candidateMajor));
  },
};

export const encoding: Check = {
  id: 'encoding',
  hazards: [],
  title: 'encoding',
  on: 'live',
  when: ['seed'],
  findings: ['database-encoding'],
  run: async (client) => {
    const { name } = await one<{ name: string }>(
      client,
      'SELECT pg_encoding_to_char(encoding)::text AS name FROM pg_database WHERE datname = current_database()',
    );
    return found('database-encoding', {
      objects: name === 'SQL_ASCII' ? ['SQL_ASCII'] : [],
      reason:
        'Drivers cannot read text in another encoding than the client declares, and Verdigris cannot compare or export it safely.',
    });
  },
};

/**
 * Docs: ALTER DATABASE / ALTER COLLATION … REFRESH VERSION; pg_database_collation_actual_version() came with PostgreSQL
 * 15.
 */
export const collations: Check = {
  id: 'collations',
  hazards: [26],
  title: 'collation versions',
  on: 'both',
  when: everyGate,
  findings: ['collation-version'],
  run: async (client) => {
    const [database] = await rows<{ name: string; stored: string; actual: string | null }>(
      client,
      `
      SELECT datname AS name, datcollversion AS stored, pg_database_collation_actual_version(oid) AS actual FROM pg_database
      WHERE datname = current_database() AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid) AND datcollversion IS NOT NULL`,
    );
    const used = await rows<{
      schema: string;
      name: string;
      stored: string;
      actual: string | null;
      indexes: { schema: string; name: string }[];
    }>(
      client,
      `
      SELECT n.nspname AS schema, c.collname AS name, c.collversion AS stored, pg_collation_actual_version(c.oid) AS actual,
        (SELECT coalesce(json_agg(json_build_object('schema', xn.nspname, 'name', x.relname)
          ORDER BY xn.nspname, x.relname), '[]') FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace xn ON xn.oid = x.relnamespace
          WHERE c.oid = ANY (i.indcollation) AND x.relkind = 'i') AS indexes
      FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
      WHERE c.collversion IS NOT NULL AND c.collprovider <> 'd' AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
        AND (EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid AND d.deptype <> 'e')
          OR EXISTS (SELECT FROM pg_index i WHERE c.oid = ANY (i.indcollation)) OR n.nspname <> 'pg_catalog')
          ORDER BY n.nspname COLLATE "C", c.collname COLLATE "C"`,
    );
    return found('collation-version', {
      objects: [
        ...(database
          ? [`database ${database.name}: built with ${database.stored}, library has ${database.actual ?? 'none'}`]
          : []),
        ...used.map(
          ({ schema, name, stored, actual, indexes }) =>
            `collation ${schema}.${name}: built with ${stored}, library has ${actual ?? 'none'}; indexes: ` +
            `${indexes.map((index) => `${index.schema}.${index.name}`).join(', ') || 'none'}`,
        ),
      ],
      reason:
        'Text sorts differently now: indexes miss existing rows and allow duplicate keys, and apply finds no row to update.',
      fix: inOrder([
        ...(database
          ? [
              `REINDEX DATABASE ${ident(database.name)};`,
              `ALTER DATABASE ${ident(database.name)} REFRESH COLLATION VERSION;`,
            ]
          : []),
        ...used.flatMap(({ schema, name, indexes }) => [
          ...indexes.map((index) => `REINDEX INDEX ${ident(index.schema, index.name)};`),
          `ALTER COLLATION ${ident(schema, name)} REFRESH VERSION;`,
        ]),
      ]),
    });
  },
};

/** archive_command is shown to pg_read_all_settings only, archive_mode to all. Docs: "Continuous Archiving". */
export const archiving: Check = {
  id: 'archiving',
  hazards: [28],
  title: 'wAL archiving',
  on: 'live',
  when: ['seed'],
  findings: ['archiving'],
  run: async (client) => {
    const set = await rows<{ name: string; value: string }>(
      client,
      `
      SELECT name, setting AS value FROM pg_settings
        WHERE name IN ('archive_mode', 'archive_command', 'archive_library') AND setting NOT IN ('', 'off', '(disabled)') ORDER BY name`,
    );
    return found('archiving', {
      objects: set.some(({ name }) => name === 'archive_mode')
        ? set.map(({ name, value }) => `${name} = ${value}`)
        : [],
      reason:
        'The copy has the same system identifier and would overwrite the live archive. Verdigris starts it with ' +
        'archiving off; once it is live it needs a place of its own.',
    });
  },
};
