import { rows, type Client } from '../client.ts';
import { admittedReaders } from '../fence-readers.ts';
import { takenConnect } from '../fence-by-rights.ts';
import { ident, literal } from '../quote.ts';
import { foreignRole, globalFinding, type GlobalFinding } from './globals-finding.ts';
import { SecretStatement } from './secret.ts';

interface Database {
  readonly name: string;
  readonly owner: string;
  readonly connections: number;
  readonly allowed: boolean;
  readonly template: boolean;
  /** `grantee privilege grantable`, PUBLIC as the empty name. */
  readonly grants: readonly Grant[];
}

interface Grant {
  readonly grantee: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

interface Setting {
  /** Empty: all databases, all roles. */
  readonly database: string;
  readonly role: string;
  readonly name: string;
  readonly value: string;
}

/**
 * The database of the connections: owner, limit, grants. And what ALTER ROLE … SET and ALTER DATABASE … SET say for it
 * or for all.
 */
export async function databaseDifferences(live: Client, candidate: Client): Promise<GlobalFinding[]> {
  return [...(await attributeDifferences(live, candidate)), ...(await settingDifferences(live, candidate))];
}

async function attributeDifferences(live: Client, candidate: Client): Promise<GlobalFinding[]> {
  const [here, there] = [await readDatabase(live), await readDatabase(candidate)];
  const name = ident(there.name);
  const attributes = [
    ...(here.owner === there.owner
      ? []
      : [new SecretStatement(`ALTER DATABASE ${name} OWNER TO ${ident(here.owner)}`)]),
    ...(here.connections === there.connections
      ? []
      : [new SecretStatement(`ALTER DATABASE ${name} CONNECTION LIMIT ${here.connections}`)]),
    ...(here.allowed === there.allowed
      ? []
      : [new SecretStatement(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${here.allowed}`)]),
    ...(here.template === there.template
      ? []
      : [new SecretStatement(`ALTER DATABASE ${name} IS_TEMPLATE ${here.template}`)]),
  ];
  const key = (grant: Grant) => `${grant.grantee} ${grant.privilege} ${grant.grantable}`;
  const missing = here.grants.filter((grant) => !there.grants.some((twin) => key(twin) === key(grant)));
  const extra = there.grants.filter((grant) => !here.grants.some((twin) => key(twin) === key(grant)));
  const grantee = (grant: Grant) => (grant.grantee === '' ? 'PUBLIC' : ident(grant.grantee));
  return [
    ...globalFinding(
      'database-attributes',
      'database has other attributes on the candidate',
      'Owner, connection limit and use as a template are not replicated.',
      attributes.length > 0 ? [{ object: here.name, statements: attributes }] : [],
    ),
    // Revoked first: a grant without its option is given again below.
    ...globalFinding(
      'database-grants',
      'grants on the database differ on the candidate',
      'Roles may connect, create or use temporary tables on one side and not on the other.',
      [
        ...extra.map((grant) => ({
          object: `${there.name}: ${grant.privilege} only on the candidate for ${grant.grantee || 'PUBLIC'}`,
          statements: [new SecretStatement(`REVOKE ${grant.privilege} ON DATABASE ${name} FROM ${grantee(grant)}`)],
        })),
        ...missing.map((grant) => ({
          object: `${there.name}: ${grant.privilege} missing for ${grant.grantee || 'PUBLIC'}`,
          statements: [
            new SecretStatement(
              `GRANT ${grant.privilege} ON DATABASE ${name} TO ${grantee(grant)}${grant.grantable ? ' WITH GRANT OPTION' : ''}`,
            ),
          ],
        })),
      ],
    ),
  ];
}

async function settingDifferences(live: Client, candidate: Client): Promise<GlobalFinding[]> {
  const [left, right] = [await readSettings(live), await readSettings(candidate)];
  const same = (a: Setting, b: Setting) => a.database === b.database && a.role === b.role && a.name === b.name;
  const set = left.filter((setting) => right.find((twin) => same(setting, twin))?.value !== setting.value);
  const extra = right.filter((setting) => !left.some((twin) => same(setting, twin)));
  const object = (setting: Setting) =>
    `${[setting.role && `role ${setting.role}`, setting.database && `database ${setting.database}`].filter(Boolean).join(' in ') || 'all roles'}: ` +
    `${setting.name}`;
  return globalFinding(
    'role-settings',
    'settings of roles or databases differ on the candidate',
    'Sessions would start with other settings (search_path, timeouts, time zone) after the switchover.',
    [
      ...set.map((setting) => ({
        object: object(setting),
        statements: [
          new SecretStatement(`${settingTarget(setting)} SET ${ident(setting.name)} TO ${settingValue(setting)}`),
        ],
      })),
      ...extra.map((setting) => ({
        object: object(setting),
        statements: [new SecretStatement(`${settingTarget(setting)} RESET ${ident(setting.name)}`)],
      })),
    ],
  );
}

export function settingTarget({ role, database }: Pick<Setting, 'role' | 'database'>): string {
  if (role === '' && database !== '') return `ALTER DATABASE ${ident(database)}`;
  return `ALTER ROLE ${role === '' ? 'ALL' : ident(role)}${database === '' ? '' : ` IN DATABASE ${ident(database)}`}`;
}

/** Settings that hold a list of names, as pg_dump knows them; their stored text is the list already quoted. */
const lists = [
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
];

export function settingValue({ name, value }: Pick<Setting, 'name' | 'value'>): string {
  if (!lists.includes(name.toLowerCase())) return literal(value);
  const items = value.match(/"(?:[^"]|"")*"|[^,\s][^,]*/g) ?? [];
  return items.length === 0
    ? "''"
    : items
        .map((item) => literal(item.startsWith('"') ? item.slice(1, -1).replaceAll('""', '"') : item.trim()))
        .join(', ');
}

async function readDatabase(client: Client): Promise<Database> {
  const [database] = await rows<Database>(
    client,
    `
    SELECT d.datname AS name, o.rolname AS owner, d.datconnlimit AS connections, d.datallowconn AS allowed, d.datistemplate AS template,
      (SELECT coalesce(json_agg(json_build_object('grantee', coalesce(g.rolname, ''), 'privilege', a.privilege_type,
        'grantable', a.is_grantable) ORDER BY g.rolname, a.privilege_type), '[]')
        FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a LEFT JOIN pg_roles g ON g.oid = a.grantee) AS grants
    FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba WHERE d.datname = current_database()`,
  );
  if (!database) throw new Error('the connection has no database');
  // What a fence has taken it gives back.
  const held = (await takenConnect(client)).map((taken) => ({ ...taken, privilege: 'CONNECT' }));
  return { ...database, grants: [...database.grants, ...held].filter(({ grantee }) => !foreignRole(grantee)) };
}

/**
 * default_transaction_read_only is left out where Verdigris itself has set it: on a database that is fenced, and on
 * readers whom a canary has let in there.
 */
async function readSettings(client: Client): Promise<Setting[]> {
  const found = await rows<Setting>(
    client,
    `
    SELECT coalesce(d.datname, '') AS database, coalesce(r.rolname, '') AS role, split_part(c.entry, '=', 1) AS name,
      substr(c.entry, strpos(c.entry, '=') + 1) AS value
    FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS c(entry)
    LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
    WHERE s.setdatabase = 0 OR d.datname = current_database()
    ORDER BY 1, 2, 3`,
  );
  const admitted = await admittedReaders(client);
  const own = ({ role, database, name }: Setting): boolean =>
    database !== '' && name === 'default_transaction_read_only' && (role === '' || admitted.has(role));
  return found.filter((setting) => !foreignRole(setting.role) && !own(setting));
}
