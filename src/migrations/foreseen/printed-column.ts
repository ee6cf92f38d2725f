/** What the catalogue prints of a column, taken apart. */
export interface ColumnText {
  readonly type: string;
  readonly collate: string;
  readonly notNull: string;
  readonly identity: string;
  /** A default, or what it is computed by. */
  readonly fill: string;
  readonly rest: string;
}

const identity = '( generated (?:always|by default) as identity)?';
const fill = '( (?:default|stored as|virtual as) .*?)?';
const rest = String.raw`((?: storage \w+| compression \w+| statistics -?\d+)*(?:\n.*)?)`;
const parts = new RegExp(String.raw`^(.*?)( collate \S+)?( not null)?${identity}${fill}${rest}$`, 's');

export function changedColumn(definition: string, part: Partial<ColumnText>): string {
  const [, type = '', collate = '', notNull = '', identity = '', fill = '', rest = ''] = parts.exec(definition) ?? [];
  return printedColumn({ type, collate, notNull, identity, fill, rest, ...part });
}

export function printedColumn({ type, collate, notNull, identity, fill, rest }: ColumnText): string {
  return `${type}${collate}${notNull}${identity}${fill}${rest}`;
}
