import { one, type Client } from './client.ts';
import { notOfExtension } from './fingerprint/scope.ts';

/** What in the body of a function may change a session beyond its transaction. */
const changes = [
  String.raw`set_config\s*\(`,
  String.raw`pg_(try_)?advisory_lock`,
  String.raw`create\s+(local\s+|global\s+)?temp`,
  String.raw`(;|\mbegin|\mthen|\melse|\mloop|''|\$)\s*(set|reset|listen|unlisten|prepare|discard|load)\s`,
].join('|');

/** set_config and the advisory locks, in what was parsed already: views, rules, BEGIN ATOMIC. Their OIDs never change. */
const parsed = ':funcid (2078|288[0-36-9]) ';

/** By what a statement runs functions that its text does not name. */
const unnamed = ['pg_rewrite', 'pg_attrdef', 'pg_policy', 'pg_operator', 'pg_cast', 'pg_constraint', 'pg_type'];

/**
 * Whether triggers, views, rules, policies, operators, defaults or casts of this database may run code that changes the
 * session of whoever runs an ordinary statement. Where one function may change it, each that is run so may call that one.
 */
export async function runsHiddenCode(client: Client): Promise<boolean> {
  const { hidden } = await one<{ hidden: boolean }>(
    client,
    `
    SELECT EXISTS (SELECT FROM pg_rewrite r WHERE r.oid >= 16384 AND r.ev_action::text ~ '${parsed}') OR (
      EXISTS (SELECT FROM pg_proc p WHERE p.oid >= 16384 AND ${notOfExtension('pg_proc', 'p.oid')}
        AND (p.prosrc ~* $1 OR to_jsonb(p) ->> 'prosqlbody' ~ '${parsed}'))
      AND (EXISTS (SELECT FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgfoid >= 16384)
        OR EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid >= 16384
          AND d.classid = ANY ($2::regclass[])))) AS hidden`,
    [changes, unnamed],
  );
  return hidden;
}
