import { one, type Client } from '../client.ts';
import { glance, movedCatalogues, type Glance } from './glance.ts';

interface Kept {
  readonly at: Glance;
  readonly value: unknown;
}

/** Rows from which on a reading takes longer than a glance. */
const many = 500;

export class Memory {
  /** By what was read, by whose eyes, of which start of which server. */
  readonly kept = new Map<string, Kept>();
  /** Whether it pays to remember: a reading gave many rows. */
  pays: boolean;

  constructor(pays = false) {
    this.pays = pays;
  }
}

const memories = new WeakMap<Client, Memory>();

/**
 * Lets what is read of the catalogues over this connection, a session of our own, be remembered, with all that goes by
 * the same memory.
 */
export function remember(client: Client, memory: Memory): void {
  memories.set(client, memory);
}

/**
 * Whose transaction has written sees what nobody else does, and may take it back. What a glance leaves out and shapes
 * do not: names of roles, and the database's own row.
 */
const beside = `
  SELECT pg_catalog.txid_current_if_assigned() IS NOT NULL AS writes,
    pg_catalog.concat_ws(' ', pg_catalog.current_setting('port'), pg_catalog.pg_postmaster_start_time(), CURRENT_USER, d.oid, pg_catalog.md5(d::text),
      (SELECT pg_catalog.md5(pg_catalog.string_agg(r.oid || r.rolname, ' ' ORDER BY r.oid)) FROM pg_catalog.pg_roles r)) AS place
  FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`;

/**
 * What `read` gives, read again only where a glance at the catalogues finds that something moved: of thousands of
 * tables reading takes a second, a glance a twentieth. Sizes and statistics are no part of what is remembered.
 * @param what Names the reading.
 * @param beyond Catalogues that it does not depend on.
 */
export async function remembered<T>(
  client: Client,
  what: string,
  beyond: readonly string[],
  read: () => Promise<T[]>,
): Promise<T[]> {
  const memory = memories.get(client);
  if (!memory) return read();
  if (!memory.pays) {
    const value = await read();
    memory.pays = value.length >= many;
    return value;
  }
  const { writes, place } = await one<{ writes: boolean; place: string }>(client, beside);
  if (writes) return read();
  const key = `${what} ${place}`;
  const kept = memory.kept.get(key);
  const at = await glance(client, kept?.at);
  // Before the value: what moves in between makes the next glance differ.
  const still = kept && movedCatalogues(kept.at, at).every((name) => beyond.includes(name));
  const value = still ? (kept.value as T[]) : await read();
  // A glance tells only what differed at it from what belongs to one session alone.
  memory.kept.set(key, { at: { ...at, lasting: new Map([...(kept?.at.lasting ?? []), ...at.lasting]) }, value });
  return [...value];
}
