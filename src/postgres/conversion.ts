import type { Column } from './catalogue.ts';

/**
 * Conversions by text that never fail and lose nothing, by base type, besides those to text: what PostgreSQL prints of
 * the left, the right reads.
 */
const widening: Readonly<Record<string, readonly string[]>> = {
  int2: ['int4', 'int8', 'numeric', 'float4', 'float8'],
  int4: ['int8', 'numeric', 'float8'],
  int8: ['numeric'],
  float4: ['float8'],
  json: [],
  jsonb: ['json'],
  date: ['timestamp'],
};

/** Whether what `from` prints is read by `to`: always, for some values, or never. */
export function conversion(from: Column, to: Column): 'fine' | 'may fail' | 'impossible' {
  if (from.type === to.type) return 'fine';
  const [left, right] = [from.baseType, to.baseType].map((type) => type.replace(/^pg_catalog\./, '')) as [
    string,
    string,
  ];
  const anyText = right === 'text' || right === 'varchar';
  if (left !== right && !anyText && !widening[left]?.includes(right)) {
    return widening[right]?.includes(left) || left === 'text' || left === 'varchar' || left === 'bpchar'
      ? 'may fail'
      : 'impossible';
  }
  return to.constrained || !holds(from.stored, to.stored, left === right) ? 'may fail' : 'fine';
}

/** Whether every value of `from` fits `to` without being cut or rounded, as far as their modifiers decide it. */
function holds(from: string, to: string, sameType: boolean): boolean {
  const [wide, scale] = modifiers(to);
  if (wide === undefined) return true;
  const [had, hadScale] = sameType ? modifiers(from) : [];
  if (had === undefined) return false;
  // numeric(p,s) has p - s digits before the point and s after it: both must not shrink.
  return to.startsWith('numeric')
    ? wide - (scale ?? 0) >= had - (hadScale ?? 0) && (scale ?? 0) >= (hadScale ?? 0)
    : wide >= had;
}

/** The numbers of `numeric(10,2)`; none where the type is unlimited. */
function modifiers(type: string): (number | undefined)[] {
  return /\(([\d,-]+)\)/.exec(type)?.[1]?.split(',').map(Number) ?? [];
}
