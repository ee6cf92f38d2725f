import { testMajor } from '../../support/postgres.ts';

/** What goes on beside a release and has to be carried, whatever the moment. */
export interface Kind {
  readonly kind: string;
  /** Statements, each for itself. `#` is another number at each moment. */
  readonly does: readonly string[];
  /** A query whose one answer is the same on whichever colour is live from then on. */
  readonly shows: string;
  /** Why it may not be done between the look at the catalogues and the fence. */
  readonly notUnderSeal?: 'it writes catalogues' | 'it is carried before the hold alone';
}

const all = (table: string, columns = '*'): string =>
  `SELECT md5(coalesce(string_agg(x::text, ',' ORDER BY x::text), '')) || ' ' || count(*) AS answer ` +
  `FROM (SELECT ${columns} FROM ${table}) x`;

/** No validity and one without end are the same. */
const role = (name: string): string =>
  `SELECT coalesce(string_agg(row(rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
    rolbypassrls, rolconnlimit, rolpassword, coalesce(rolvaliduntil, 'infinity'))::text, ','), 'none') AS answer
  FROM pg_authid WHERE rolname = '${name}'`;

const settings = `
  SELECT string_agg(coalesce(r.rolname, '') || '@' || coalesce(d.datname, '') ||
    (SELECT string_agg(c, '|' ORDER BY c) FROM unnest(setconfig) c), '; ' ORDER BY r.rolname, d.datname) AS answer
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase
  WHERE coalesce(r.rolname, '') !~ '^verdigris'`;

const members = `
  SELECT string_agg(row(r.rolname, m.rolname, admin_option, to_jsonb(a)->>'inherit_option',
    to_jsonb(a)->>'set_option')::text, ',' ORDER BY r.rolname, m.rolname, admin_option) AS answer
  FROM pg_auth_members a JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member
  WHERE m.rolname !~ '^(verdigris|pg_)'`;

const databaseRights = `
  SELECT (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM (
    SELECT coalesce(g.rolname, 'public') AS grantee, privilege_type, is_grantable
    FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) a LEFT JOIN pg_roles g ON g.oid = a.grantee
    WHERE coalesce(g.rolname, '') !~ '^verdigris') x) || datconnlimit AS answer
  FROM pg_database WHERE datname = 'shop'`;

const origins = `
  SELECT string_agg(roname || coalesce(remote_lsn::text, '-'), ',' ORDER BY roname) AS answer
  FROM pg_replication_origin o LEFT JOIN pg_replication_origin_status s ON s.local_id = o.roident
  WHERE roname !~ '^pg_'`;

const granted = testMajor >= 16 ? 'WITH ADMIN TRUE' : 'WITH ADMIN OPTION';
const withoutInheriting = testMajor >= 16 ? 'WITH INHERIT FALSE, SET TRUE' : '';

/** The first of a table's rows by physical place: where replica identity is full, equal rows are told apart by it. */
const first = (table: string, condition: string): string =>
  `ctid = (SELECT min(ctid) FROM ${table} WHERE ${condition})`;

const ofRows: readonly Kind[] = [
  {
    kind: 'values stored apart, and columns beside them',
    does: ['UPDATE big SET n = n + #', "UPDATE big SET b = repeat('c#', 30000) WHERE id = 2"],
    shows: all('big', 'id, md5(a), md5(b), n'),
  },
  {
    kind: 'equal rows, known by all their columns',
    does: [
      `DELETE FROM full_id WHERE ${first('full_id', 'a = 1')}`,
      `UPDATE full_id SET b = 'n#' WHERE ${first('full_id', 'a = 2')}`,
      "INSERT INTO full_id SELECT #, NULL, 'NaN' FROM generate_series(1, 3)",
    ],
    shows: all('full_id'),
  },
  {
    kind: 'rows known by another index than the key',
    does: [
      'UPDATE by_index SET a = a + 1000 WHERE b = (SELECT max(b) FROM by_index)',
      'DELETE FROM by_index WHERE b = (SELECT min(b) FROM by_index)',
      "INSERT INTO by_index VALUES (#, 100#, 'n')",
    ],
    shows: all('by_index'),
  },
  {
    kind: 'generated columns',
    does: ['UPDATE gen SET a = a + #', 'INSERT INTO gen (id, a) VALUES (100#, #)'],
    shows: all('gen', 'id, a, b'),
  },
  {
    kind: 'forced row security',
    does: ["INSERT INTO secured VALUES (10#, 'clerk')", "UPDATE secured SET owner = 'b#' WHERE id = 1"],
    shows: all('secured'),
  },
  {
    kind: 'unique values that change places',
    does: [
      'UPDATE defer SET pos = 6 - pos',
      'BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE defer SET pos = pos % 5 + 1; COMMIT',
    ],
    shows: all('defer'),
  },
  {
    kind: 'an exclusion that lets go and takes in one transaction',
    does: ['BEGIN; DELETE FROM excl WHERE id = 1; INSERT INTO excl VALUES (1, int4range(1, 9)); COMMIT'],
    shows: all('excl'),
  },
  {
    kind: 'cascades',
    does: [
      'DELETE FROM par WHERE id = (SELECT min(id) FROM par)',
      'UPDATE par SET id = id + 1000# WHERE id = (SELECT max(id) FROM par)',
    ],
    shows: all('chi'),
  },
  {
    kind: 'rows that refer to each other',
    does: ['BEGIN; INSERT INTO self VALUES (10#, 11#); INSERT INTO self VALUES (11#, 10#); COMMIT'],
    shows: all('self'),
  },
  {
    kind: 'inheritance',
    does: ["UPDATE fore SET v = v || '#'", "INSERT INTO heir VALUES (10#, 'h', #)"],
    shows: all('fore'),
  },
  {
    kind: 'rows that change their partition',
    does: [
      'UPDATE pt SET k = (k + 1) % 4 WHERE id % 7 = # % 7',
      'DELETE FROM ONLY pt1 WHERE id % 11 = 0',
      "INSERT INTO pt2a VALUES (9#, 2, 'direct #')",
      'UPDATE pt SET id = id + 100 WHERE id = (SELECT min(id) FROM pt)',
    ],
    shows: all('pt'),
  },
  {
    kind: 'partitions by hash',
    does: [
      'UPDATE ht SET id = id + 1000# WHERE id = (SELECT min(id) FROM ht)',
      'DELETE FROM ht WHERE id = (SELECT max(id) FROM ht WHERE id < 1000)',
    ],
    shows: all('ht'),
  },
  {
    kind: 'TRUNCATE of a partitioned table',
    does: ['TRUNCATE ht', "INSERT INTO ht VALUES (#, 'after')"],
    shows: all('ht'),
    notUnderSeal: 'it writes catalogues',
  },
  {
    kind: 'TRUNCATE that restarts an identity',
    does: [
      "INSERT INTO ident (v) SELECT 'y' FROM generate_series(1, 500)",
      'TRUNCATE ident RESTART IDENTITY',
      "INSERT INTO ident (v) SELECT 'after #' FROM generate_series(1, #)",
    ],
    shows: all('ident'),
    notUnderSeal: 'it writes catalogues',
  },
  {
    kind: 'TRUNCATE and rows in one transaction',
    does: ['BEGIN; TRUNCATE emptied; INSERT INTO emptied SELECT g, # FROM generate_series(1, #) g; COMMIT'],
    shows: all('emptied'),
  },
  {
    kind: 'savepoints that are undone',
    does: [
      `DO $$ BEGIN FOR i IN 1..20 LOOP BEGIN INSERT INTO item (v) VALUES ('s# ' || i); IF i % 3 = 0 THEN RAISE 'x'; END IF;
        EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$`,
    ],
    shows: all('item'),
  },
  {
    kind: 'values of odd types under an origin',
    does: [
      "SELECT pg_replication_origin_create('o#')",
      `SELECT pg_replication_origin_session_setup('o#'); BEGIN; SELECT pg_replication_origin_xact_setup('0/1#00', now());
        INSERT INTO words VALUES ('o#', '{"a": 1.00}', '<a/>', '[0:1]={1,NULL}'); COMMIT`,
    ],
    shows: all('words', 't, j, x::text, a'),
  },
  { kind: 'where an origin is', does: [], shows: origins },
  {
    kind: 'odd names',
    does: [`INSERT INTO "Odd "" täble" VALUES (#, E'\\\\.\\n\\t')`],
    shows: all('"Odd "" täble"'),
  },
  {
    kind: 'tables written anew, which changes nothing',
    does: ['VACUUM FULL wide', 'REINDEX TABLE item', 'ANALYZE item', 'VACUUM FREEZE item'],
    shows: all('wide'),
    notUnderSeal: 'it writes catalogues',
  },
  {
    kind: 'materialized views',
    does: ['REFRESH MATERIALIZED VIEW sums', 'REFRESH MATERIALIZED VIEW CONCURRENTLY keyed'],
    shows: "SELECT (SELECT n FROM sums) || ' ' || (SELECT count(*) FROM keyed) AS answer",
    notUnderSeal: 'it is carried before the hold alone',
  },
];

const ofServer: readonly Kind[] = [
  {
    kind: 'a role with all that it may have',
    does: [
      `CREATE ROLE r# LOGIN NOINHERIT CREATEDB BYPASSRLS CONNECTION LIMIT 3 PASSWORD 'p#'
        VALID UNTIL '2040-01-01 10:00+02'`,
    ],
    shows: role('r#'),
  },
  {
    kind: 'memberships',
    does: [`GRANT team TO clerk ${withoutInheriting}`, `GRANT team TO r# ${granted}`],
    shows: members,
  },
  {
    kind: 'a role of an odd name',
    does: [
      `ALTER ROLE "Weird ""Röle" PASSWORD 'x#' VALID UNTIL 'infinity'`,
      `ALTER ROLE "Weird ""Röle" SET search_path = "$user", 'We "ird#', public`,
    ],
    shows: role('Weird "Röle'),
  },
  {
    kind: 'a role renamed',
    does: ["CREATE ROLE old# LOGIN PASSWORD 'z'", 'ALTER ROLE old# RENAME TO new#'],
    shows: role('new#'),
  },
  { kind: 'a role that came and went', does: ['CREATE ROLE gone#', 'DROP ROLE gone#'], shows: role('gone#') },
  { kind: 'a password taken away', does: ['ALTER ROLE clerk PASSWORD NULL'], shows: role('clerk') },
  {
    kind: 'settings',
    does: [
      "ALTER ROLE clerk IN DATABASE shop SET work_mem = '#MB'",
      "ALTER ROLE ALL SET statement_timeout = '1#s'",
      `ALTER DATABASE shop SET "my.custom" = 'a,b "c'' #'`,
      'ALTER DATABASE shop SET search_path = public, "Q#"',
      "ALTER ROLE clerk SET temp_tablespaces = ''",
      "ALTER ROLE clerk SET DateStyle = 'SQL, DMY'",
    ],
    shows: settings,
  },
  {
    kind: 'rights on the database',
    does: [
      'ALTER DATABASE shop CONNECTION LIMIT 9#',
      'GRANT TEMP, CREATE ON DATABASE shop TO clerk WITH GRANT OPTION',
      'REVOKE TEMP ON DATABASE shop FROM PUBLIC',
    ],
    shows: databaseRights,
  },
  {
    kind: 'user mappings',
    does: [
      "ALTER USER MAPPING FOR clerk SERVER far OPTIONS (SET password 'p#')",
      `ALTER USER MAPPING FOR PUBLIC SERVER far OPTIONS (SET u 'it''s "#')`,
    ],
    shows: "SELECT string_agg(usename || umoptions::text, ',' ORDER BY usename) AS answer FROM pg_user_mappings",
  },
  {
    kind: 'a setting of the server',
    does: ["ALTER SYSTEM SET log_min_duration_statement = '#s'", 'SELECT pg_reload_conf()'],
    shows: "SELECT setting AS answer FROM pg_settings WHERE name = 'log_min_duration_statement'",
    notUnderSeal: 'it is carried before the hold alone',
  },
];

export const kinds: readonly Kind[] = [...ofRows, ...ofServer];

/** What is done to each sequence at each moment. */
export const sequences: Readonly<Record<string, string>> = {
  down: "SELECT nextval('down') FROM generate_series(1, 7)",
  ring: "SELECT nextval('ring') FROM generate_series(1, 9)",
  spent: "SELECT setval('spent', 3)",
  back_to: "SELECT setval('back_to', 10 + #, false)",
  small: "SELECT setval('small', 30000), nextval('small')",
  cached: "SELECT nextval('cached')",
  huge: "SELECT nextval('huge')",
  never: 'SELECT 1',
};
