import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { docsFolder } from '../model/docs-folder.ts';

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
    (text) => response.setHeader('content-type', 'text/plain; charset=utf-8').end(text),
    () => response.writeHead(404).end(),
  );
  return true;
}
