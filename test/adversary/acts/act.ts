/** Something that goes on beside a release, by somebody with the right to it. */
export interface Act {
  readonly kind: string;
  /** Statements, each for itself. `#` is another number in each trial. */
  readonly does: readonly string[];
  /** A query whose one answer tells on either colour whether it happened there. */
  readonly shows: string;
  /** What a refusal has to name. */
  readonly named: RegExp;
  /** Takes it back where a refusal left it on the live colour. */
  readonly undo?: string;
  /** With what the last statement fails, on purpose: what it did is there all the same. */
  readonly fails?: RegExp;
  /** It cannot come along: it is enough that a warning names it before the writes move. */
  readonly stays?: true;
  /** How whoever does it is connected; left out: an ordinary session of a superuser. */
  readonly by?: 'replication' | 'application' | 'candidate';
  /** The major that has it first. */
  readonly since?: number;
  /** It would keep other acts out: tried by itself. */
  readonly alone?: true;
}

export const act = (
  kind: string,
  does: string | readonly string[],
  shows: string,
  named: RegExp,
  undo?: string,
): Act => ({
  kind,
  does: typeof does === 'string' ? [does] : does,
  shows,
  named,
  ...(undo === undefined ? {} : { undo }),
});

export const count = (of: string): string => `SELECT count(*)::text AS answer FROM ${of}`;
export const relation = (name: string): string => count(`pg_class WHERE relname = '${name}'`);
export const column = (table: string, shape: string): string =>
  `SELECT coalesce(string_agg(${shape}, ',' ORDER BY attnum), '') AS answer FROM pg_attribute ` +
  `WHERE attrelid = to_regclass('public.${table}') AND attnum > 0 AND NOT attisdropped`;
export const role = (name: string, shape: string): string =>
  `SELECT coalesce(string_agg((${shape})::text, ','), 'none') AS answer FROM pg_authid WHERE rolname = '${name}'`;
export const exists = (catalogue: string, key: string, name: string): string =>
  count(`${catalogue} WHERE ${key} = '${name}'`);
