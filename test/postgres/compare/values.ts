/** What the types below need. */
export const types = `
  CREATE TYPE mood AS ENUM ('low', 'high'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN code AS char(6); CREATE DOMAIN deep AS code;
  CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`;

/** For each type: a value, and another that equality or a careless hash would take for the same. */
export const subtle: readonly (readonly [type: string, value: string | null, other: string | null])[] = [
  ['int4', '1', '2'], ['int8', '0', '4294967297'], ['int8', '1', '-4294967297'], ['int2', '0', null], ['bool', 'f', 't'],
  ['numeric', '1.0', '1.00'], ['numeric', '5', '-5'], ['numeric', 'NaN', 'Infinity'], ['numeric', '0', '0.0'],
  ['float8', '0', '-0'], ['float4', '0', '-0'], ['float8', '0.1', '0.10000000000000002'], ['float4', 'NaN', '1'],
  ['text', '', null], ['text', 'a', 'a '], ['text', 'a', 'A'], ['text COLLATE caseless', 'a', 'A'], ['varchar(20)', '\u00e9', 'e\u0301'], ['bpchar', 'a', 'a  '], ['char(8)', 'a', 'b'],
  ['deep', 'x', 'y'], ['"char"', 'a', 'b'], ['name', 'a', 'b'], ['bytea', '\\x00', '\\x0000'], ['bytea', '\\x', null], ['uuid', '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001'],
  ['date', '2024-01-01', '2024-01-02'], ['date', 'infinity', '-infinity'], ['timestamp', '2024-01-01 00:00:00', '2024-01-01 00:00:00.000001'],
  ['timestamptz', '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+01'], ['timestamptz', '9999-12-31 23:59:59.999998+00', '9999-12-31 23:59:59.999999+00'], ['timestamptz', 'infinity', '-infinity'],
  ['time', '00:00:00', '24:00:00'], ['timetz', '00:00:00+00', '01:00:00+01'], ['interval', '1 day', '24:00:00'], ['interval', '1 mon', '30 days'], ['oid', '1', '4294967295'],
  ['mood', 'low', 'high'], ['pair', '(1,a)', '(1,)'], ['int4[]', '{1,2}', '{{1,2}}'], ['int4[]', '{1}', '[0:0]={1}'], ['float8[]', '{0}', '{-0}'], ['text[]', '{NULL}', '{"NULL"}'],
  ['jsonb', '1.0', '1.00'], ['jsonb', '[[1],2]', '[[1,2]]'], ['jsonb', '1', '-1'], ['jsonb', 'null', null], ['json', '{"a":1}', '{"a": 1}'], ['xml', '<a/>', '<a></a>'],
  ['inet', '10.0.0.1/8', '10.0.0.1/9'], ['int4range', '[1,2)', '[1,3)'], ['numrange', '[1.0,2]', '[1.00,2]'], ['money', '1', '2'], ['bit(3)', '101', '100'], ['varbit', '1', '10'],
  ['tsvector', 'a:1', 'a:2'], ['point', '(0,0)', '(-0,0)'], ['macaddr', '08:00:2b:01:02:03', '08:00:2b:01:02:04'], ['pg_lsn', '0/1', '1/0'],
];
