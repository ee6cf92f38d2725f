import { qualified } from '../catalogue.ts';
import { rows } from '../client.ts';
import { ident } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

interface Trigger {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly enabled: 'O' | 'A' | 'R';
  /** Apply runs it with more rights than the owner of its function, or of what its condition calls, has. */
  readonly raised: boolean;
}

/**
 * Of the trigger g on c with the function p of r: before PostgreSQL 16 it runs as who applies. A SECURITY DEFINER function
 * does not; its condition does, and is the table's owner's.
 */
const withMore = `current_setting('server_version_num')::int < 160000 AND (NOT (r.rolsuper OR p.prosecdef)
  OR NOT (SELECT rolsuper FROM pg_roles WHERE oid = c.relowner) AND EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_trigger'::regclass AND d.objid = g.oid AND d.refobjid >= 16384 AND d.refobjid <> g.tgfoid
      AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)))`;

/** Of a backfill of ours: it is there for apply, and changes nothing but the row that arrives. */
const ours = "p.pronamespace = to_regnamespace('verdigris')";

const on = ({ schema, table, name }: Trigger) => `${schema}.${table}.${name}`;

const ordinarily = (triggers: readonly Trigger[]): string =>
  inOrder(
    triggers.map(
      ({ schema, table, name }) => `ALTER TABLE ${qualified({ schema, name: table })} ENABLE TRIGGER ${ident(name)};`,
    ),
  );

/**
 * Apply runs with session_replication_role = replica. A partition's copy of a trigger is reported only where it differs
 * from its parent's. Docs: ALTER TABLE, ENABLE REPLICA | ALWAYS TRIGGER; "Logical Replication / Architecture".
 */
export const triggers: Check = {
  id: 'triggers',
  hazards: [12],
  title: 'triggers',
  on: 'both',
  when: everyGate,
  findings: ['triggers-as-superuser', 'triggers-on-apply', 'triggers'],
  run: async (client) => {
    const all = await rows<Trigger>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS table, g.tgname AS name, g.tgenabled::text AS enabled,
        ${withMore} AS raised
      FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_roles r ON r.oid = p.proowner
      JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND c.relpersistence <> 't' AND ${userSchemas}
        AND (${withMore} OR ${ours} IS NOT TRUE)
        AND NOT EXISTS (SELECT FROM pg_trigger up WHERE up.oid = g.tgparentid AND up.tgenabled = g.tgenabled)
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", g.tgname COLLATE "C"`,
    );
    const [ordinary, applied] = [
      all.filter(({ enabled }) => enabled === 'O'),
      all.filter(({ enabled }) => enabled !== 'O'),
    ];
    const raised = applied.filter((trigger) => trigger.raised);
    return [
      ...found('triggers-as-superuser', {
        objects: raised.map(on),
        reason:
          'Before PostgreSQL 16 replicated rows are applied as the owner of the subscription, who may write every table, ' +
          'and the functions that fire then belong to roles that may not.',
        fix: ordinarily(raised),
      }),
      ...found('triggers-on-apply', {
        objects: applied.map((trigger) => `${on(trigger)}, ${trigger.enabled === 'A' ? 'always' : 'replica'}`),
        reason:
          'What they write on the live database is replicated, and they write it once more on the candidate: twice in all, or a conflict that stops apply.',
        fix: ordinarily(applied),
      }),
      ...found('triggers', {
        objects: ordinary.map(on),
        reason:
          'What they write into tables is replicated like anything else. What they do beside that (NOTIFY, dblink, files) happens once, on the live colour.',
      }),
    ];
  },
};

/** Rules rewrite queries; apply runs none. Docs: "Logical Replication / Architecture"; CREATE RULE. */
export const rulesCheck: Check = {
  id: 'rules',
  hazards: [12],
  title: 'rules',
  on: 'live',
  when: ['seed'],
  findings: ['rules'],
  run: async (client) => {
    const all = await rows<Omit<Trigger, 'enabled'>>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS table, r.rulename AS name FROM pg_rewrite r
        JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE r.rulename <> '_RETURN' AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${userSchemas}
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", r.rulename COLLATE "C"`,
    );
    return found('rules', {
      objects: all.map(({ schema, table, name }) => `${schema}.${table}.${name}`),
      reason: 'Rules rewrite the queries of clients and never run on apply; what they made is replicated as rows.',
      fix: inOrder([
        '-- nothing to do; where the rule is not wanted:',
        ...all.map(({ schema, table, name }) => `DROP RULE ${ident(name)} ON ${qualified({ schema, name: table })};`),
      ]),
    });
  },
};

export const eventTriggers: Check = {
  id: 'event-triggers',
  hazards: [7],
  title: 'event triggers',
  on: 'live',
  when: ['seed'],
  findings: ['login-triggers', 'event-triggers-write', 'event-triggers'],
  run: async (client, facts) => {
    const all = await rows<{ name: string; event: string; writes: boolean }>(
      client,
      `
      SELECT evtname AS name, evtevent AS event, p.prosrc ~* '\\m(insert\\s+into|update\\s+\\S+\\s+set|delete\\s+from|merge\\s+into)\\M' AS writes
      FROM pg_event_trigger JOIN pg_proc p ON p.oid = evtfoid
      WHERE evtenabled <> 'D' ORDER BY evtname COLLATE "C"`,
    );
    const disabled = (triggers: typeof all): string =>
      inOrder(triggers.map(({ name }) => `ALTER EVENT TRIGGER ${ident(name)} DISABLE;`));
    const atLogin = all.filter(({ event }) => event === 'login');
    const login = found('login-triggers', {
      objects: atLogin.map(({ name }) => name),
      reason:
        "They run for Verdigris's reader, for replication and for migrations too, on the candidate as well: rows that they " +
        'write there are in no stream, and an error in one keeps those sessions out in the middle of a release.',
      fix: disabled(atLogin),
    });
    const writing = facts.migrates === true ? all.filter(({ writes, event }) => writes && event !== 'login') : [];
    const write = found('event-triggers-write', {
      objects: writing.map(({ name, event }) => `${name} on ${event}`),
      reason:
        'On the candidate they would write rows that the live database does not have, with keys that it gives to ' +
        'others: apply stops, and the two never match.',
      fix: disabled(writing),
    });
    const others = all.filter((trigger) => !writing.includes(trigger) && !atLogin.includes(trigger));
    const other = found('event-triggers', {
      objects: others.map(({ name, event }) => `${name} on ${event}`),
      reason:
        'They fire for the migrations on the candidate as well, and not for what Verdigris makes; one that raises an error stops them.',
      fix: inOrder([
        '-- nothing to do where they let the migrations pass; else, on the candidate:',
        ...others.map(({ name }) => `ALTER EVENT TRIGGER ${ident(name)} DISABLE;`),
      ]),
    });
    return [...login, ...write, ...other];
  },
};
