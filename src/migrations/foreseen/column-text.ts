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

const parts =
  /^(.*?)( collate \S+)?( not null)?( generated (?:always|by default) as identity)?( (?:default|stored as|virtual as) .*?)?((?: storage \w+| compression \w+| statistics -?\d+)*(?:\n.*)?)$/s;

export function changedColumn(definition: string, part: Partial<ColumnText>): string {
  const [, type = '', collate = '', notNull = '', identity = '', fill = '', rest = ''] = parts.exec(definition) ?? [];
  return columnText({ type, collate, notNull, identity, fill, rest, ...part });
}

export function columnText({ type, collate, notNull, identity, fill, rest }: ColumnText): string {
  return `${type}${collate}${notNull}${identity}${fill}${rest}`;
}
