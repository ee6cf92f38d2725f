import { act, count, type Act } from './act.ts';

const set = (table: string, of: string): string =>
  `SELECT coalesce(string_agg((${of})::text, ',' ORDER BY id), '') AS answer FROM public.${table}`;

/** Rows that come about otherwise than by one statement on their table. */
export const rowsOtherwise: readonly Act[] = [
  act(
    'rows merged',
    [
      `MERGE INTO public.price p USING (VALUES (1, #), (#, 5)) AS s (id, cents) ON p.id = s.id
        WHEN MATCHED THEN UPDATE SET cents = s.cents WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.cents)`,
    ],
    set('price', 'cents'),
    /price/,
  ),
  act(
    'rows met and changed',
    'INSERT INTO public.price VALUES (1, 7#) ON CONFLICT (id) DO UPDATE SET cents = excluded.cents',
    set('price', 'cents'),
    /price/,
  ),
  act(
    'rows of a savepoint taken back',
    [
      `DO $$ BEGIN INSERT INTO public.child VALUES (7#); BEGIN INSERT INTO public.child VALUES (8#);
        RAISE EXCEPTION 'back'; EXCEPTION WHEN OTHERS THEN NULL; END; END $$`,
    ],
    count('public.child WHERE id IN (7#, 8#)'),
    /child/,
  ),
  act(
    'key of a row changed',
    'UPDATE public.item SET id = id + 100# WHERE id = (SELECT max(id) FROM public.item)',
    'SELECT max(id)::text AS answer FROM public.item',
    /item/,
  ),
  act(
    'row moved to another partition',
    [
      'DELETE FROM public.split WHERE id IN (# % 40 + 5, # % 40 + 105)',
      "INSERT INTO public.split VALUES (# % 40 + 5, 'moved #')",
      'UPDATE public.split SET id = id + 100 WHERE id = # % 40 + 5',
    ],
    "SELECT string_agg(id || tableoid::regclass::text, ',' ORDER BY id) AS answer FROM public.split",
    /split/,
  ),
  act(
    'rows written through a view',
    "INSERT INTO public.seen (id, v) VALUES (500#, 'seen')",
    count('public.item WHERE id = 500#'),
    /item/,
  ),
  act(
    'rows committed inside a block',
    ["DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO public.item (v) VALUES ('block #'); COMMIT; END LOOP; END $$"],
    count("public.item WHERE v = 'block #'"),
    /item/,
  ),
  act(
    'row of a megabyte written',
    "INSERT INTO public.item (v, n) SELECT string_agg(md5(i::text), ''), 77# FROM generate_series(1, 32768) i",
    'SELECT coalesce(sum(length(v)), 0)::text AS answer FROM public.item WHERE n = 77#',
    /item/,
  ),
  act(
    'row of a megabyte changed beside it',
    [
      "INSERT INTO public.item (v, n) SELECT string_agg(md5(i::text), ''), 78# FROM generate_series(1, 32768) i",
      'UPDATE public.item SET n = 79# WHERE n = 78#',
    ],
    "SELECT coalesce(string_agg(md5(v), ''), '') AS answer FROM public.item WHERE n = 79#",
    /item/,
  ),
  act(
    'rows of an heir changed by its parent',
    "UPDATE public.forebear SET v = 'by #'",
    "SELECT string_agg(id || v, ',' ORDER BY id) AS answer FROM public.forebear",
    /forebear/,
  ),
  act(
    'rows of a parent alone truncated',
    ['INSERT INTO public.forebear VALUES (3#)', 'TRUNCATE ONLY public.forebear'],
    count('ONLY public.forebear'),
    /forebear/,
  ),
  act(
    'rows of an heir truncated',
    ['INSERT INTO public.heir VALUES (4#)', 'TRUNCATE public.heir'],
    count('public.heir'),
    /heir/,
  ),
  act(
    'number drawn and taken back',
    ["SELECT setval('public.counter', 1#000)", 'BEGIN', "SELECT nextval('public.counter')", 'ROLLBACK'],
    'SELECT CASE WHEN last_value > 1000 THEN last_value / 1000 || is_called::text END AS answer FROM public.counter',
    /counter/,
  ),
  act(
    'message sent into the log',
    "SELECT pg_logical_emit_message(true, 'other', 'hello #')",
    count("public.item WHERE v = 'none'"),
    /item/,
  ),
  act(
    'table written anew by VACUUM',
    ['UPDATE public.item SET n = 80#', 'VACUUM FULL public.item'],
    count('public.item WHERE n = 80#'),
    /item/,
  ),
  act(
    'table put in order',
    'CLUSTER public.item USING item_pkey',
    "SELECT indisclustered::text AS answer FROM pg_index WHERE indexrelid = 'public.item_pkey'::regclass",
    /item/,
    'ALTER TABLE public.item SET WITHOUT CLUSTER',
  ),
  act(
    'rows and log of a checkpoint',
    ["INSERT INTO public.item (v) VALUES ('log #')", 'CHECKPOINT', 'SELECT pg_switch_wal()'],
    count("public.item WHERE v = 'log #'"),
    /item/,
  ),
];
