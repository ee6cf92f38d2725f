const name = String.raw`[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*`;
/** What may be between two halves of one string: a line end among blanks. */
const onNextLine = String.raw`[ \t\f\v]*[\n\r][ \t\n\r\f\v]*`;
const plain = String.raw`[^']*(?:''[^']*)*'(?!')`;
const escaped = String.raw`(?:[^'\\]|\\[^]|'')*'(?!')`;

const lexeme = new RegExp(
  [
    String.raw`[ \t\n\r\f\v]+`,
    String.raw`--[^\n\r]*`,
    String.raw`[eE]'${escaped}(?:${onNextLine}'${escaped})*`,
    // Two quotes are not one in bits.
    String.raw`[bBxX]'[^']*'(?:${onNextLine}'[^']*')*`,
    String.raw`(?:[uU]&)?'${plain}(?:${onNextLine}'${plain})*`,
    String.raw`(?:[uU]&)?"[^"]*(?:""[^"]*)*"`,
    String.raw`(?![bBxXeE]'|[uU]&['"])${name}`,
    String.raw`(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)(?![A-Za-z_\x80-\uffff])`,
    String.raw`\$\d+`,
    String.raw`::|:=|\.\.`,
    String.raw`(?:(?!--|\/\*)[~!@#^&|\x60?+\-*\/%<>=])+`,
    String.raw`[^\s'"$\w]`,
  ].join('|'),
  'y',
);
const dollar = /\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$/y;
const commentEdge = /\/\*|\*\//g;

/**
 * Where the token, comment or white space that begins at a place ends, by PostgreSQL's lexical rules; undefined where
 * its scanner gives up. The parser's own scanner answers in JSON, a name for each token: most of what a short file cost.
 */
export function lexemeEnd(text: string, at: number): number | undefined {
  if (text.startsWith('/*', at)) return commentEnd(text, at);
  lexeme.lastIndex = at;
  if (lexeme.test(text)) {
    const end = lexeme.lastIndex;
    return end - at > 1 && signs.includes(text[at] ?? '') ? at + withoutSign(text.slice(at, end)).length : end;
  }
  dollar.lastIndex = at;
  const tag = dollar.exec(text)?.[0];
  if (tag === undefined) return text[at] === '$' ? at + 1 : undefined;
  const closes = text.indexOf(tag, at + tag.length);
  return closes < 0 ? undefined : closes + tag.length;
}

const signs = '+-*/<>=';

/** `=-` are two operators, `@-` is one: a sign ends one only behind what no standard operator has. */
function withoutSign(found: string): string {
  return /^(?!--)[+\-*/<>=]{2,}$/.test(found) ? found.replace(/(?<=.)[+-]+$/, '') : found;
}

function commentEnd(text: string, at: number): number | undefined {
  commentEdge.lastIndex = at;
  for (let depth = 0, edge = commentEdge.exec(text); edge; edge = commentEdge.exec(text)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return commentEdge.lastIndex;
  }
  return undefined;
}
