import { count } from '../../model/count.ts';
import { label, qualified } from '../catalogue.ts';
import { rows } from '../client.ts';
import { found, HiddenError, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

interface Sequence {
  readonly schema: string;
  readonly name: string;
  readonly owned: boolean;
  /** Values that are left before the end, in steps of the increment. */
  readonly left: number;
  readonly cycle: boolean;
  readonly type: string;
  readonly ascending: boolean;
  readonly readable: boolean;
}

/** pg_sequences shows last_value to those with USAGE or SELECT only. Docs: pg_sequences; CREATE SEQUENCE. */
export const sequencesCheck: Check = {
  id: 'sequences',
  hazards: [2],
  title: 'sequences',
  on: 'live',
  when: ['seed', 'switch'],
  findings: ['sequence-near-end', 'sequences'],
  needs: (role) => `GRANT pg_read_all_data TO ${role};`,
  run: async (client, { limits }) => {
    const all = await rows<Sequence>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, s.seqcycle AS cycle, s.seqincrement > 0 AS ascending,
        format_type(s.seqtypid, NULL) AS type, has_sequence_privilege(c.oid, 'USAGE, SELECT') AS readable,
        EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')) AS owned,
        ((CASE WHEN s.seqincrement > 0 THEN s.seqmax::numeric - coalesce(v.last_value, s.seqstart) ELSE
          coalesce(v.last_value, s.seqstart)::numeric - s.seqmin END) / abs(s.seqincrement))::float8 AS left
      FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_sequences v ON v.schemaname = n.nspname AND v.sequencename = c.relname
      WHERE c.relpersistence <> 't' AND ${userSchemas} ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
    );
    if (all.some(({ readable }) => !readable))
      throw new HiddenError('the values of sequences are hidden from this role');
    const near = all.filter(({ cycle, left }) => !cycle && left < limits.sequenceMargin * 2);
    return [
      ...found('sequence-near-end', {
        objects: near.map((sequence) => `${label(sequence)}, ${count(Math.floor(sequence.left), 'value')} left`),
        reason: `The switchover sets each ${limits.sequenceMargin.toLocaleString('en')} values ahead, and so does each rollback: then nextval() fails.`,
        fix: inOrder(
          near.map(
            (sequence) =>
              `-- see that its columns are bigint too:\nALTER SEQUENCE ${qualified(sequence)} AS bigint ${sequence.ascending ? 'NO MAXVALUE' : 'NO MINVALUE'};`,
          ),
        ),
      }),
      ...found('sequences', {
        title:
          `${count(all.length, 'sequence')}, ${all.filter(({ owned }) => !owned).length} of them owned by no ` +
          `column, ${all.filter(({ ascending }) => !ascending).length} descending`,
        objects: all.map(label),
        reason:
          'Sequences are not replicated; the switchover sets each on the new live colour past the old one by a margin, so numbers have a gap.',
      }),
    ];
  },
};
