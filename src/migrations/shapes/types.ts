import type { SeenChange } from '../../model/shape-changes.ts';
import type { SchemaDifference } from '../../postgres/fingerprint/index.ts';
import { columnsOf, formulaOf } from './formula.ts';
import { implies } from './implies.ts';
import { constraintOf } from './rules.ts';

/** What a type or domain that changed does in both directions. */
export function typeChanges({ change, kind, identity, before = '', after = '' }: SchemaDifference): SeenChange[] {
  if (change !== 'changed' || (kind !== 'type' && kind !== 'domain')) return [];
  const [old, now] = [linesOf(before), linesOf(after)];
  if (kind === 'domain') return domainChanges(identity, old, now);
  const [gone, fresh] = [old.filter((line) => !now.includes(line)), now.filter((line) => !old.includes(line))];
  const one = (id: SeenChange['id'], says?: string): SeenChange[] => [
    { id, object: identity, kind, ...(says === undefined ? {} : { says }) },
  ];
  const isEnum = now[0] === 'enum' && old[0] === 'enum';
  // Rows travel as text, and a row of another number of attributes is not read.
  if (!isEnum) return gone.length + fresh.length > 0 ? one('type-remade') : [];
  return [
    ...(gone.length > 0 ? one('type-remade') : []),
    ...(fresh.length > 0 ? one('enum-value-added', `takes ${fresh.join(', ')} from now on`) : []),
  ];
}

function linesOf(definition: string): string[] {
  return definition.split('\n').filter((line) => !line.startsWith('owner '));
}

function domainChanges(object: string, old: readonly string[], now: readonly string[]): SeenChange[] {
  const [was, is] = [head(old), head(now)];
  if (was.base !== is.base) return [{ id: 'type-remade', object, kind: 'domain' }];
  const id = (found: SeenChange['id'], there: boolean): SeenChange[] =>
    there ? [{ id: found, object, kind: 'domain' }] : [];
  return [
    ...id('domain-narrowed', (is.notNull && !was.notNull) || !follows(old, now)),
    ...id('domain-widened', (was.notNull && !is.notNull) || !follows(now, old)),
  ];
}

function head([first = '']: readonly string[]): { base: string; notNull: boolean } {
  const plain = first.replace(/ default .*$/, '');
  return { base: plain.replace(/ not null$/, ''), notNull: plain.endsWith(' not null') };
}

/** Whether all checks of the second follow from those of the first. */
function follows(from: readonly string[], to: readonly string[]): boolean {
  const given = { all: from.slice(1).map(checkOf) };
  return to.slice(1).every((line) => implies(given, checkOf(line), 'passes'));
}

function checkOf(line: string) {
  const definition = line.slice(line.indexOf('CHECK (')).replace(/ not validated$/, '');
  const found = constraintOf(definition)?.raw_expr;
  const columns = found ? columnsOf([found]) : [];
  return found && columns.length > 0
    ? formulaOf(found)
    : { of: definition, test: { is: 'as written' as const }, strictIn: [] };
}
