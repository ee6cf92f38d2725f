import type { Client } from './client.ts';

/**
 * Whoever has pg_write_all_data may write Verdigris's own tables too: `verdigris_locker`, under whom code of the
 * tables' owners is evaluated, or a role of the application's. What is in them is run or believed by a superuser later:
 * statements for the switchover, a seed's schema, who is let in again, what has arrived. So each takes rows only from
 * its owner, a superuser, and who was granted the privilege on it by name. Apply fires no triggers of statements, so
 * that before PostgreSQL 16 `verdigris_locker` brings the barrier's row; from then on it works as the table's owner, and
 * others than superusers may subscribe: there each row is asked for too.
 */
const statement = `DO $do$
DECLARE missing text;
BEGIN
  IF pg_catalog.to_regprocedure('verdigris.require_grant()') IS NULL THEN
    CREATE FUNCTION verdigris.require_grant() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$
    BEGIN
      IF NOT EXISTS (
        SELECT FROM pg_class c WHERE c.oid = TG_RELID AND (pg_has_role(current_user, c.relowner, 'USAGE') OR EXISTS (
          SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee <> 0 AND a.privilege_type = TG_OP
            AND pg_has_role(current_user, a.grantee, 'USAGE')))) THEN
        RAISE insufficient_privilege USING MESSAGE = format(
          '%s on verdigris.%s was refused: role %s was not granted it by name', TG_OP, TG_TABLE_NAME, current_user);
      END IF;
      RETURN NULL;
    END $f$;
  END IF;
  FOR missing IN
    -- Operators themselves do not wait for the function: clients may be held.
    SELECT pg_catalog.format($t$CREATE TRIGGER %2$I %3$s INSERT OR UPDATE OR DELETE ON verdigris.%1$I FOR EACH %4$s
      WHEN (pg_catalog.current_setting('is_superuser') <> 'on' OR current_user <> session_user)
      EXECUTE FUNCTION verdigris.require_grant();
      ALTER TABLE verdigris.%1$I ENABLE ALWAYS TRIGGER %2$I$t$, c.relname, k.trigger, k.at, k.each)
    FROM pg_catalog.pg_class c CROSS JOIN (
      VALUES ('require_grant', 'BEFORE', 'STATEMENT', true),
        ('require_grant_row', 'AFTER', 'ROW', pg_catalog.to_regrole('pg_create_subscription') IS NOT NULL)) AS k(trigger, at, each, asked)
    WHERE c.relnamespace = pg_catalog.to_regnamespace('verdigris') AND c.relkind = 'r' AND k.asked AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = k.trigger)
  LOOP
    EXECUTE missing;
  END LOOP;
END $do$`;

/** Closes those that are not closed yet. */
export async function guardControlTables(operator: Client): Promise<void> {
  await operator.query(statement);
}
