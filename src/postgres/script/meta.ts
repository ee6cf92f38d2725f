import { fault } from './fault.ts';

/** What a meta-command of psql comes to here. */
export type Meta =
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'echo'; readonly text: string }
  | { readonly kind: 'connect'; readonly database: string | undefined }
  | { readonly kind: 'encoding'; readonly encoding: string };

/**
 * Variables of psql that say how it prints and when it stops; others would be put into statements, which is not done
 * here.
 */
const ownVariables = new RegExp(
  '^(ON_ERROR_STOP|ON_ERROR_ROLLBACK|QUIET|VERBOSITY|SHOW_CONTEXT|SHOW_ALL_RESULTS|ECHO|ECHO_HIDDEN|' +
    'FETCH_COUNT|HISTFILE|HISTSIZE|HISTCONTROL|COMP_KEYWORD_CASE|PROMPT[123])$',
);

/**
 * Reads a line that begins with a backslash.
 * @throws VerdigrisError `script-meta` for a command that would change what the script means and that is not done here.
 */
export function readMeta(text: string, line: number): Meta {
  const [, name = '', rest = ''] = /^\\(\S*?)(?:\s+(.*))?$/s.exec(text.replace(/[\s;]+$/, '')) ?? [];
  const args = words(rest);
  switch (name) {
    case 'c':
    case 'connect':
      return { kind: 'connect', database: databaseOf(args) };
    case 'echo':
    case 'qecho':
    case 'warn':
      return { kind: 'echo', text: args.join(' ') };
    case 'encoding':
      return args[0] === undefined ? skip('asks for the encoding') : { kind: 'encoding', encoding: args[0] };
    case 'restrict':
    case 'unrestrict':
      return skip('guards against commands in the data, none of which are done here');
    case 'pset':
    case 'timing':
    case 'x':
    case 'a':
    case 't':
    case 'f':
    case 'H':
    case 'C':
      return skip('says how psql prints');
    case 'set':
    case 'unset':
      if (args[0] === undefined || ownVariables.test(args[0]))
        return skip('sets a variable of psql; a script stops at its first error in any case');
      if (args[0] === 'AUTOCOMMIT' && !/^(off|false|0)$/i.test(args[1] ?? '')) return skip('autocommit is on');
      break;
    default:
  }
  throw fault(
    'script-meta',
    { line },
    {
      seen: `Line ${line} has the psql command ${text.slice(0, 80)}`,
      required:
        "SQL and COPY, with \\connect to one database, \\restrict, \\echo, \\encoding, \\pset and \\set of psql's own variables.",
      next: 'take the command out, or write what it does as SQL.',
    },
    { command: name },
  );
}

function skip(reason: string): Meta {
  return { kind: 'skip', reason };
}

/**
 * `\connect name`, `\connect "name"`, `\connect -reuse-previous=on "dbname='name'"`; `-` is the database that there is.
 */
function databaseOf(args: readonly string[]): string | undefined {
  const [first] = args.filter((word) => !word.startsWith('-reuse-previous='));
  if (first === undefined || first === '-') return undefined;
  const named = /\bdbname\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/.exec(first);
  return named ? (named[1] ?? named[2] ?? '').replace(/\\(.)/g, '$1') : first;
}

function words(text: string): string[] {
  return Array.from(
    text.matchAll(/'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(\S+)/g),
    ([, single, double, plain]) => single?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? plain ?? '',
  );
}
