import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { docsFolder } from '../model/docs-folder.ts';
import { escape } from '../migrations/rehearsal/escape.ts';

/** Names of pages: no dots but the one before the ending, so that no name leads out of the folder. */
const page = /^\/docs\/((?:[a-z0-9-]+\/)*[A-Za-z0-9-]+\.md)$/;

/**
 * Serves a page of the documentation, as the alerts link to it: of the version that watches, and without another
 * network.
 */
export function serveRunbook(path: string, response: ServerResponse): boolean {
  const name = page.exec(path)?.[1];
  if (name === undefined) return false;
  readFile(new URL(name, docsFolder()), 'utf8').then(
    (text) => response.setHeader('content-type', 'text/html; charset=utf-8').end(runbookPage(name, text)),
    () => response.writeHead(404).end(),
  );
  return true;
}

/** The text as it is written, with what a browser needs to come to a section and to follow a link to another page. */
export function runbookPage(name: string, markdown: string): string {
  const body = escape(markdown)
    .replaceAll(/^#+ (.+)$/gm, (line, title: string) => `<b id="${anchorOf(title)}">${line}</b>`)
    .replaceAll(
      /\[([^\]]+)\]\(([\w./-]*\.md)?(#[\w-]+)?\)/g,
      (_, text: string, file = '', anchor = '') => `<a href="${String(file)}${String(anchor)}">${text}</a>`,
    );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(name)}</title><style>:root { color-scheme: light dark }
pre { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 100ch; margin: 1em auto; padding: 0 1em }
:target { background: Highlight }</style><pre>${body}</pre></html>
`;
}

/** As GitHub makes anchors of headings. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
