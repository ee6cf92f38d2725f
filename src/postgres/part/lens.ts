import { streamPattern } from '../../model/names.ts';
import { rows, type Client } from '../client.ts';
import { readRelations } from '../relations-read.ts';
import { classOf, isFence, oidOf, type ObjectKey } from './graph.ts';

/** How a session of Verdigris's own sees a database of which only a part moves: as if there were no more. */
export interface Lens {
  /** What is to be read in place of each catalogue. */
  readonly reads: ReadonlyMap<string, string>;
}

/** Catalogues whose rows are objects by themselves; what hangs on them is read through them. */
export const ofObjects = [
  'pg_cast',
  'pg_class',
  'pg_collation',
  'pg_conversion',
  'pg_extension',
  'pg_foreign_data_wrapper',
  'pg_foreign_server',
  'pg_language',
  'pg_namespace',
  'pg_opclass',
  'pg_operator',
  'pg_opfamily',
  'pg_proc',
  'pg_statistic_ext',
  'pg_transform',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_ts_parser',
  'pg_ts_template',
  'pg_type',
] as const;

/** Our own objects are seen too, also those that are made later. */
const ours: Readonly<Record<string, string>> = {
  pg_class: 'relnamespace',
  pg_proc: 'pronamespace',
  pg_type: 'typnamespace',
  pg_namespace: 'oid',
};

export async function readLens(client: Client, carried: ReadonlySet<ObjectKey>): Promise<Lens> {
  const catalogues = await rows<{ name: string; oid: string }>(
    client,
    'SELECT name, name::regclass::oid::text AS oid FROM unnest($1::text[]) AS name',
    [ofObjects],
  );
  const keys = [...carried];
  const all = catalogues.map(({ name, oid }): [string, string] => {
    const list = `'{${keys
      .filter((key) => classOf(key) === Number(oid))
      .map(oidOf)
      .join(',')}}'::oid[]`;
    const own = ours[name] === undefined ? '' : ` OR ${ours[name]} = to_regnamespace('verdigris')`;
    // Indexes come and go.
    const indexes =
      name === 'pg_class'
        ? ` OR oid IN (SELECT indexrelid FROM ONLY pg_catalog.pg_index WHERE indrelid = ANY (${list}))`
        : '';
    return [name, `WHERE oid < 16384 OR oid = ANY (${list})${own}${indexes}`];
  });
  const named = (catalogue: string, oid: string) =>
    `WHERE ${oid} < 16384 OR (${catalogue} || ':' || ${oid}) = ANY ('{${keys.join(',')}}')`;
  return {
    reads: new Map([
      ...all,
      ['pg_default_acl', 'WHERE false'],
      ['pg_event_trigger', 'WHERE false'],
      ['pg_publication', `WHERE pubname ~ '${streamPattern}'`],
      ['pg_trigger', `WHERE NOT (${isFence('pg_trigger')})`],
      ['pg_description', named('classoid', 'objoid')],
      ['pg_seclabel', named('classoid', 'objoid')],
    ]),
  };
}

/** A statement of Verdigris's own as it is seen through a lens. `FROM ONLY` reads a catalogue as it is. */
export function throughLens(sql: string, { reads }: Lens): string {
  return readRelations(
    sql,
    [...reads.keys()],
    (name) => `(SELECT * FROM ONLY pg_catalog.${name} ${reads.get(name) ?? ''})`,
    true,
  );
}
