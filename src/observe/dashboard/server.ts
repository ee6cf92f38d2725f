import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decoded, serveHttp, type ServeOptions } from '../serve.ts';
import { html } from './html.ts';
import { layout, type Region } from './layout.ts';
import {
  environmentContent,
  environmentRegions,
  pagesOf,
  listContent,
  listRegion,
  reportContent,
  type Content,
  type Entry,
} from './pages.ts';
import { events, respond } from './respond.ts';
import { whyUnseen, type Watcher } from './watcher.ts';

const assets: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/-/client.js': ['client.js', 'text/javascript; charset=utf-8'],
  '/-/charts.js': ['charts.js', 'text/javascript; charset=utf-8'],
  '/-/plot.js': [import.meta.resolve('uplot').replace('.cjs.', '.esm.'), 'text/javascript; charset=utf-8'],
  '/-/plot.css': [import.meta.resolve('uplot/dist/uPlot.min.css'), 'text/css; charset=utf-8'],
  '/-/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/-/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** Pages that follow live events at a time; each costs a connection, and all share one look a second. */
const mostFollowers = 100;

/** Serves the pages until the signal. It knows of nothing but looking. */
export async function serveDashboard(watchers: readonly Watcher[], options: ServeOptions): Promise<void> {
  const files = new Map<string, Buffer>();
  for (const [address, [file]] of Object.entries(assets))
    files.set(address, await readFile(new URL(file, import.meta.url)));
  const dashboard = new Dashboard(watchers, files);
  await serveHttp((request, response) => {
    dashboard
      .answer(request, response)
      .catch((error: unknown) => respond(response, 503, 'text/plain; charset=utf-8', `${whyUnseen(error)}\n`));
  }, options);
}

class Dashboard {
  readonly #watchers: ReadonlyMap<string, Watcher>;
  readonly #files: ReadonlyMap<string, Buffer>;
  #followers = 0;

  constructor(watchers: readonly Watcher[], files: ReadonlyMap<string, Buffer>) {
    this.#watchers = new Map(watchers.map((watcher) => [watcher.name, watcher]));
    this.#files = files;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return respond(response, 405, 'text/plain', 'This server only answers GET: it changes nothing.\n');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://here');
    const file = this.#files.get(pathname);
    if (file) return respond(response, 200, assets[pathname]?.[1] ?? '', file);
    if (pathname === '/-/healthz') return respond(response, 200, 'text/plain', 'ok\n');
    const [, plain = pathname, json] = /^(.*?)(\.json)?$/.exec(pathname) ?? [];
    if (plain === '/-/live')
      return this.#follow(request, response, [...this.#watchers.values()], async () => ({
        at: new Date().toISOString(),
        regions: [listRegion(await this.#entries())],
      }));
    const [, name = '', kind, startedAt = ''] =
      /^\/e\/([a-z0-9-]+)(?:\/(live|delivery|releases|drills|rehearsals)(?:\/(.+))?)?$/.exec(plain) ?? [];
    const watcher = this.#watchers.get(name);
    if (watcher && kind === 'live')
      return this.#follow(request, response, [watcher], async () => {
        const seen = await watcher.seen();
        return { at: seen.at, regions: environmentRegions(seen, pagesOf(name)) };
      });
    const content =
      plain === '/' || plain === '/index'
        ? listContent(await this.#entries())
        : watcher &&
          (kind === undefined
            ? environmentContent(name, await watcher.seen())
            : reportContent(name, await watcher.seen(), kind, decoded(startedAt) ?? ''));
    send(response, content, json !== undefined || searchParams.get('format') === 'json' || wantsJson(request));
  }

  async #entries(): Promise<Entry[]> {
    return Promise.all(
      [...this.#watchers.values()].map(async (watcher) => {
        const { name } = watcher;
        return watcher.now().then(
          (seen): Entry => ({ name, seen }),
          (error: unknown): Entry => ({ name, error: whyUnseen(error) }),
        );
      }),
    );
  }

  /** Sends, each time that one was looked at, when that was, and the parts of the page where something of them differs. */
  #follow(
    request: IncomingMessage,
    response: ServerResponse,
    watchers: readonly Watcher[],
    look: () => Promise<{ readonly at: string; readonly regions: readonly Region[] }>,
  ): void {
    if (this.#followers >= mostFollowers) return respond(response, 503, 'text/plain', 'Too many pages are open.\n');
    this.#followers++;
    const end = new AbortController();
    request.once('close', () => {
      this.#followers--;
      end.abort();
    });
    const send = events(response);
    let last = '';
    const changed = (): void =>
      void look().then(
        ({ at, regions }) => {
          const parts = Object.fromEntries(regions.map(({ id, body }) => [id, html`${body}`.markup]));
          const text = JSON.stringify(parts);
          const now = new Date().toISOString();
          if (send(text === last ? { now, at } : { now, at, parts })) last = text;
        },
        (error: unknown) => void send({ error: whyUnseen(error) }),
      );
    for (const watcher of watchers) watcher.follow(changed, end.signal);
    changed();
  }
}

function send(response: ServerResponse, content: Content | undefined, json: boolean): void {
  if (content === undefined) {
    const body = html`<h1>There is nothing here</h1>
      <p><a href="/">All environments</a></p>`;
    return json
      ? respond(response, 404, 'application/json', '{"error":"not found"}\n')
      : respond(response, 404, 'text/html; charset=utf-8', layout({ title: 'Not found', trail: [], body }).markup);
  }
  if (json) return respond(response, 200, 'application/json', `${JSON.stringify(content.json, null, 2)}\n`);
  respond(response, 200, 'text/html; charset=utf-8', layout(content.page).markup);
}

function wantsJson({ headers: { accept = '' } }: IncomingMessage): boolean {
  return accept.includes('application/json') && !accept.includes('text/html');
}
