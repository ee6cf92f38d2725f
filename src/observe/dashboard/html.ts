import { escape } from '../../migrations/rehearsal/escape.ts';

/**
 * Markup of ours. Text becomes markup only by being escaped: names, messages and errors come from databases and files.
 */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Part = Html | string | number | undefined | false | readonly Part[];

/**
 * The one way to make markup: what the literal itself has is ours, everything put into it is escaped unless it was made
 * here.
 */
export function html(literal: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(literal.map((text, place) => text + markupOf(parts[place])).join(''));
}

function markupOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(markupOf).join('');
  return escape(String(part));
}
