import { act, count, relation, type Act } from './act.ts';

export const swaps: readonly Act[] = [
  act(
    'table swapped',
    [
      'CREATE TABLE public.swap# (LIKE public.price INCLUDING ALL)',
      'INSERT INTO public.swap# VALUES (#, 1)',
      'DROP TABLE public.price',
      'ALTER TABLE public.swap# RENAME TO price',
    ],
    "SELECT string_agg(id::text, ',') AS answer FROM public.price",
    /price/,
  ),
  act('partition truncated', 'TRUNCATE public.meter_1', count('public.meter'), /meter/),
  act(
    'partition made',
    [
      'CREATE TABLE public.mp# PARTITION OF public.meter FOR VALUES FROM (#000) TO (#999)',
      'INSERT INTO public.meter VALUES (#001)',
    ],
    relation('mp#'),
    /mp#/,
    // Nothing takes it back: behind the commit point its row has stopped what leads to the retained colour.
  ),
  act(
    'partition detached',
    'ALTER TABLE public.meter DETACH PARTITION public.meter_2',
    "SELECT relispartition::text AS answer FROM pg_class WHERE oid = 'public.meter_2'::regclass",
    /meter/,
    'ALTER TABLE public.meter ATTACH PARTITION public.meter_2 FOR VALUES FROM (100) TO (200)',
  ),
  act(
    'table attached',
    [
      'CREATE TABLE public.at# (id int PRIMARY KEY)',
      'ALTER TABLE public.meter ATTACH PARTITION public.at# FOR VALUES FROM (#000) TO (#999)',
    ],
    relation('at#'),
    /at#/,
    'DROP TABLE public.at#',
  ),
  act('table truncated', 'TRUNCATE public.emptied', count('public.emptied'), /emptied/),
  act('partitioned table truncated', 'TRUNCATE public.meter', count('public.meter'), /meter/),
  act(
    'table rewritten',
    ['VACUUM (FULL) public.item', 'REINDEX TABLE public.item', 'ANALYZE public.item'],
    count('public.item'),
    /item/,
  ),
  act(
    'tables exchanged by their names',
    [
      'BEGIN',
      'ALTER TABLE public.left_half RENAME TO between',
      'ALTER TABLE public.right_half RENAME TO left_half',
      'ALTER TABLE public.between RENAME TO right_half',
      'COMMIT',
    ],
    "SELECT (SELECT string_agg(v, ',') FROM public.left_half) || (SELECT string_agg(v, ',') FROM public.right_half) AS answer",
    /half/,
    'ALTER TABLE public.left_half RENAME TO between; ALTER TABLE public.right_half RENAME TO left_half; ALTER TABLE public.between RENAME TO right_half',
  ),
  act(
    'table moved to another schema',
    'ALTER TABLE public.left_half SET SCHEMA aside',
    "SELECT relnamespace::regnamespace::text AS answer FROM pg_class WHERE relname = 'left_half'",
    /left_half/,
    'ALTER TABLE aside.left_half SET SCHEMA public',
  ),
  act(
    'partition exchanged for another of its name',
    [
      'CREATE TABLE public.other# (LIKE public.meter_2 INCLUDING ALL)',
      'INSERT INTO public.other# VALUES (199)',
      'BEGIN',
      'ALTER TABLE public.meter DETACH PARTITION public.meter_2',
      'DROP TABLE public.meter_2',
      'ALTER TABLE public.other# RENAME TO meter_2',
      'ALTER TABLE public.meter ATTACH PARTITION public.meter_2 FOR VALUES FROM (100) TO (200)',
      'COMMIT',
    ],
    "SELECT string_agg(id::text, ',' ORDER BY id) AS answer FROM public.meter WHERE id >= 100",
    /meter_2/,
  ),
  act(
    'partition with rows attached',
    [
      'CREATE TABLE public.full# (id int PRIMARY KEY)',
      'INSERT INTO public.full# VALUES (#001)',
      'ALTER TABLE public.meter ATTACH PARTITION public.full# FOR VALUES FROM (#000) TO (#999)',
    ],
    count('public.meter'),
    /full#/,
    'DROP TABLE public.full#',
  ),
  act(
    'tables truncated by cascade',
    ['TRUNCATE public.parent CASCADE', 'INSERT INTO public.parent VALUES (#)'],
    'SELECT (SELECT count(*) FROM public.parent) || (SELECT count(*)::text FROM public.ref) AS answer',
    /parent|ref/,
  ),
  act(
    'table truncated, its numbers begun again',
    ['TRUNCATE public.ident RESTART IDENTITY', "INSERT INTO public.ident (v) VALUES ('first #')"],
    "SELECT string_agg(id || v, ',') AS answer FROM public.ident",
    /ident/,
  ),
];
