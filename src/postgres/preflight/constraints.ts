import { label, qualified } from '../catalogue.ts';
import { one, rows } from '../client.ts';
import { ident } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { byName, userSchemas, type Relation } from './tables.ts';

/** Docs: "Logical Replication / Restrictions", TRUNCATE. */
export const foreignKeys: Check = {
  id: 'foreign-keys',
  hazards: [13, 35],
  title: 'foreign keys',
  on: 'live',
  when: everyGate,
  findings: ['foreign-keys-outside', 'constraints-not-validated', 'foreign-keys'],
  run: async (client) => {
    const outside = await rows<Relation & { constraint: string; target: string }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, k.conname AS constraint, k.confrelid::regclass::text AS target
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class fc ON fc.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace WHERE k.contype = 'f'
      AND ${userSchemas} AND NOT ${userSchemas.replaceAll('n.nspname', 'fn.nspname')} ${byName}, k.conname COLLATE "C"`,
    );
    const { keys, deferrable } = await one<{ keys: number; deferrable: number }>(
      client,
      `
      SELECT count(*)::int AS keys, count(*) FILTER (WHERE k.condeferrable)::int AS deferrable FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND k.conparentid = 0 AND ${userSchemas}`,
    );
    const open = await rows<Relation & { constraint: string }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, k.conname AS constraint FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT k.convalidated AND k.contype <> 'n' AND ${userSchemas} ${byName}, k.conname COLLATE "C"`,
    );
    return [
      ...found('foreign-keys-outside', {
        objects: outside.map((key) => `${label(key)}.${key.constraint} to ${key.target}`),
        reason: 'A replicated TRUNCATE would fail for them, and their rows on the candidate point at nothing.',
        fix: inOrder(outside.map((key) => `ALTER TABLE ${qualified(key)} DROP CONSTRAINT ${ident(key.constraint)};`)),
      }),
      ...found('constraints-not-validated', {
        objects: open.map((key) => `${label(key)}.${key.constraint}`),
        reason: 'Old rows may break them; verify cannot hold the candidate to more than the live database keeps.',
        fix: inOrder(open.map((key) => `ALTER TABLE ${qualified(key)} VALIDATE CONSTRAINT ${ident(key.constraint)};`)),
      }),
      ...found('foreign-keys', {
        title: `foreign keys, ${deferrable} of them deferrable`,
        objects: keys > 0 ? [`${keys} in all`] : [],
        reason: 'Apply does not check foreign keys; verify does, for the whole of the candidate.',
      }),
    ];
  },
};
