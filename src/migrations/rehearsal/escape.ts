import { harmless } from '../../model/harmless.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * For text and attributes of HTML and SVG. What no HTML may hold, and what changes how the text around it reads, is
 * shown as on a terminal.
 */
export function escape(text: string): string {
  return harmless(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
