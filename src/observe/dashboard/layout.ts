import { html, type Html, type Part } from './html.ts';

export interface Page {
  readonly title: string;
  /** Where its live events come from; undefined where nothing of it changes. */
  readonly live?: string | undefined;
  readonly trail: readonly { readonly href: string; readonly text: string }[];
  readonly body: Part;
}

/**
 * No script and no style of its own, nothing from anywhere else: the policy that the server sends would let none of it
 * through.
 */
export function layout({ title, live, trail, body }: Page): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Verdigris</title><link rel="stylesheet" href="/-/plot.css"><link rel="stylesheet" href="/-/style.css"><link rel="icon" href="/-/icon.svg">
<script type="module" src="/-/client.js"></script></head>
<body${live === undefined ? '' : html` data-live="${live}"`}>
<a class="skip" href="#main">Skip to content</a>
<header><nav aria-label="Path"><a href="/">Verdigris</a>${trail.map(
    ({ href, text }) => html`<span aria-hidden="true">/</span><a href="${href}">${text}</a>`,
  )}</nav><p id="link" role="status"></p></header>
<main id="main" tabindex="-1">${body}</main>
<footer>This page only looks. What it shows is also JSON: <a href="?format=json">this address as JSON</a>.</footer>
</body></html>
`;
}

/** Where a release, drill or rehearsal has a page of its own, by when it began. */
export type PageAddress = (kind: 'releases' | 'drills' | 'rehearsals', startedAt: string) => string;

/** A part of a page that live events replace, by its id. */
export interface Region {
  readonly id: string;
  readonly heading: string;
  readonly body: Part;
}

export function region({ id, heading, body }: Region): Html {
  return html`<section aria-labelledby="h-${id}">
    <h2 id="h-${id}">${heading}</h2>
    <div id="${id}">${body}</div>
  </section> `;
}

/** A table that scrolls by itself where the page is narrow; `name` is for who hears it. */
export function scrollTable(name: string, heads: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${name}">
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** Text to be taken over as it is: a command or a statement. */
export function copyable(text: string): Html {
  return html`<span class="copy"
    ><code>${text}</code><button type="button" data-copy="${text}" aria-label="Copy ${text}">Copy</button></span
  >`;
}

/** What is in backquotes is to be copied. */
export function prose(text: string): Html {
  const pieces = text.split(/`([^`]+)`/);
  return html`${pieces.map((piece, place) => (place % 2 === 1 ? copyable(piece) : piece))}`;
}

export function time(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 19).replace('T', ' ')} UTC</time>`;
}
