import { readFile } from 'node:fs/promises';
import { drawingStyle } from '../../migrations/rehearsal/html-style.ts';
import { html, Html, type Part } from '../dashboard/html.ts';

/** Nothing copies where no script runs. */
const style = `${await readFile(new URL('../dashboard/style.css', import.meta.url), 'utf8')}${drawingStyle}
button { display:none }`;

/** One page that needs nothing but itself, for a ticket: no script, nothing loaded, and a policy that says so. */
export function reportPage(title: string, body: Part): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title} · Verdigris</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.markup;
}
