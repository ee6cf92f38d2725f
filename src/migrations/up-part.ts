/**
 * How a file says which part of it is the way up; each marker is a line of its own. Without `up` the way up comes
 * first.
 */
interface Layout {
  readonly tool: string;
  /** Where the markers alone would be too common: what such a file has besides. */
  readonly only?: RegExp;
  readonly up?: RegExp;
  readonly down: RegExp;
  readonly noTransaction?: RegExp;
}

/** Read from the tools' own parsers and documentation. */
const layouts: readonly Layout[] = [
  {
    tool: 'goose',
    up: /^--\s*\+goose\s+up\b/im,
    down: /^--\s*\+goose\s+down\b/im,
    noTransaction: /^--\s*\+goose\s+no\s+transaction\b/im,
  },
  {
    tool: 'sql-migrate',
    up: /^--\s*\+migrate\s+up\b/im,
    down: /^--\s*\+migrate\s+down\b/im,
    noTransaction: /^--\s*\+migrate\s+up\b.*\bnotransaction\b/im,
  },
  {
    tool: 'dbmate',
    up: /^--\s*migrate:up\b/im,
    down: /^--\s*migrate:down\b/im,
    noTransaction: /^--\s*migrate:up\b.*\btransaction:\s*false\b/im,
  },
  { tool: 'rambler', up: /^--\s*rambler\s+up\b/im, down: /^--\s*rambler\s+down\b/im },
  { tool: 'play-evolutions', up: /^(?:#|--)[\s-]*!Ups\b/m, down: /^(?:#|--)[\s-]*!Downs\b/m },
  { tool: 'tern', down: /^----\s*create above\s*\/\s*drop below\s*----/im },
  { tool: 'node-pg-migrate', down: /^\s*--[\s-]*down\s+migration\b/im },
  { tool: 'atlas', only: /^--\s*atlas:txtar\b/im, up: /^-- migration\.sql --\s*$/m, down: /^-- \S+ --\s*$/m },
  { tool: 'mybatis', down: /^--\s*\/\/\s*@undo\b/im },
  {
    tool: 'shmig',
    // A line of its own, and in this order: a comment that happens to be one of the words is no marker.
    only: /^--[\s=@+!#-]*up[\s=]*$[^]*^--[\s=@+!#-]*down[\s=]*$/im,
    up: /^--[\s=@+!#-]*up[\s=]*$/im,
    down: /^--[\s=@+!#-]*down[\s=]*$/im,
  },
];

/** A word that every layout's markers have: most files have none of them, and are asked once. */
const marked = /\bup\b|\bdown\b|!(?:ups|downs)|drop below|atlas:txtar|@undo/i;

export interface UpPart {
  /** The tool whose markers the file has; undefined where it has none: then all of it is the way up. */
  readonly tool: string | undefined;
  /** The file with everything else blanked: line ends and every byte's offset are kept. */
  readonly text: string;
  /** The file asks the tool not to wrap the way up in a transaction. */
  readonly noTransaction: boolean;
}

/**
 * The way up of a migration that has the way down in the same file (goose, dbmate, sql-migrate, tern, node-pg-migrate
 * and others). Nothing of the way down may run, nor be learned from.
 */
export function upPart(text: string): UpPart {
  const layout = marked.test(text)
    ? layouts.find(({ only, up, down }) => (only?.test(text) ?? true) && (down.test(text) || up?.test(text)))
    : undefined;
  if (!layout) return { tool: undefined, text, noTransaction: false };
  let on = layout.up === undefined;
  const kept = text.split('\n').map((line) => {
    const opens = layout.up?.test(line) === true;
    const closes = layout.down.test(line);
    if (opens || closes) on = opens;
    // A marker itself need not be SQL.
    return on && !opens ? line : blank(line);
  });
  return { tool: layout.tool, text: kept.join('\n'), noTransaction: layout.noTransaction?.test(text) === true };
}

/** As many bytes of blanks, line ends kept, so that every position after it is what it was. */
export function blank(text: string): string {
  return text.replace(/[^\n\r]+/g, (line) => ' '.repeat(Buffer.byteLength(line)));
}
