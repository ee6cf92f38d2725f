import { operatorRole } from '../../model/names.ts';
import { fenceTrigger } from './graph.ts';

/** SQLSTATE of a writer who is refused: read_only_sql_transaction. */
const readOnlyCode = '25006';

/** Body of what each trigger of a closed table calls. */
export const refuseBody = `
  BEGIN
    IF TG_OP = 'TRUNCATE' AND EXISTS (
      SELECT FROM pg_stat_activity WHERE pid = pg_backend_pid() AND backend_type LIKE 'logical replication%'
    ) THEN RETURN NULL; END IF;
    RAISE EXCEPTION 'table %.% has moved to another server', TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = '${readOnlyCode}', HINT = 'Its rows here follow those; write there.';
  END `;

/**
 * A schema of its own, because it outlives `verdigris`: what is left of the tables stays closed. The trigger fires for
 * everybody, also where session_replication_role is replica, but for rows that come by replication; of those it hears a
 * TRUNCATE only, and what triggers of other tables write. What takes the trigger away, or the table, is refused to
 * everybody but the operator. ONLY: it is made by a session that sees a part, and must see its own triggers.
 */
export const machinery = `
  CREATE SCHEMA IF NOT EXISTS verdigris_fence;
  CREATE OR REPLACE FUNCTION verdigris_fence.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$${refuseBody}$$;
  CREATE OR REPLACE FUNCTION verdigris_fence.refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    found text;
  BEGIN
    IF session_user = '${operatorRole}' OR TG_TAG = 'REINDEX' THEN RETURN; END IF;
    IF TG_EVENT = 'sql_drop' THEN
      IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE object_type = 'schema' AND object_name = 'verdigris_fence') THEN RETURN; END IF;
      SELECT object_identity INTO found FROM pg_event_trigger_dropped_objects()
        WHERE object_type = 'trigger' AND object_identity ~ '^${fenceTrigger} on ' LIMIT 1;
    ELSE
      WITH RECURSIVE touched(oid) AS (
        SELECT of_its.oid FROM pg_event_trigger_ddl_commands() d CROSS JOIN LATERAL (
          SELECT d.objid WHERE d.classid = 'pg_class'::regclass
          UNION ALL SELECT tgrelid FROM ONLY pg_trigger WHERE d.classid = 'pg_trigger'::regclass AND oid = d.objid
          UNION ALL SELECT polrelid FROM pg_policy WHERE d.classid = 'pg_policy'::regclass AND oid = d.objid
          UNION ALL SELECT ev_class FROM pg_rewrite WHERE d.classid = 'pg_rewrite'::regclass AND oid = d.objid
          UNION ALL SELECT srrelid FROM pg_subscription_rel WHERE d.classid = 'pg_subscription'::regclass AND srsubid = d.objid
          UNION ALL SELECT oid FROM ONLY pg_class WHERE d.command_tag = 'ALTER SCHEMA' AND relnamespace = d.objid
        ) AS of_its(oid)
        UNION SELECT next.oid FROM touched CROSS JOIN LATERAL (
          SELECT inhparent FROM pg_inherits WHERE inhrelid = touched.oid
          UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = touched.oid
          UNION ALL SELECT indrelid FROM pg_index WHERE indexrelid = touched.oid
          UNION ALL SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid = touched.oid
        ) AS next(oid))
      SELECT t.oid::regclass::text INTO found FROM touched t JOIN ONLY pg_trigger g ON g.tgrelid = t.oid AND g.tgname = '${fenceTrigger}' LIMIT 1;
    END IF;
    IF found IS NOT NULL THEN
      RAISE EXCEPTION '% has moved to another server', found USING ERRCODE = '${readOnlyCode}', HINT = 'Change it there.';
    END IF;
  END $$;
  DROP EVENT TRIGGER IF EXISTS verdigris_fence_ddl;
  DROP EVENT TRIGGER IF EXISTS verdigris_fence_drop;
  CREATE EVENT TRIGGER verdigris_fence_ddl ON ddl_command_end EXECUTE FUNCTION verdigris_fence.refuse_ddl();
  CREATE EVENT TRIGGER verdigris_fence_drop ON sql_drop EXECUTE FUNCTION verdigris_fence.refuse_ddl();
  ALTER EVENT TRIGGER verdigris_fence_ddl ENABLE ALWAYS;
  ALTER EVENT TRIGGER verdigris_fence_drop ENABLE ALWAYS;`;
