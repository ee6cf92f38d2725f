import { document } from '../docs/sources.ts';

/** A block of docs/life.md: a command, or a file by the name in its first line. */
export type Block =
  | { readonly kind: 'run'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string; readonly text: string };

/** What the page says to run and to write below one of its headings, in its order. */
export function lifeBlocks(heading: string): Block[] {
  const [, part = ''] = new RegExp(`^## ${heading}$([^]*?)(?=^## |(?![^]))`, 'm').exec(document('docs/life.md')) ?? [];
  return [...part.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language, text = '']) => {
    if (language === 'sh') return { kind: 'run', text };
    const [, name] = /^(?:--|#) (\S+)\n/.exec(text) ?? [];
    if (name === undefined) throw new Error(`a file without its name in the first line: ${text}`);
    return { kind: 'file', name, text };
  });
}
