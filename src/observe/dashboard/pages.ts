import { count } from '../../model/count.ts';
import { coloursRegion } from './colours.ts';
import { deliveryRegion } from './delivery.ts';
import { historyRegion } from './history.ts';
import { timeline } from './timeline.ts';
import { html, type Html } from './html.ts';
import { region, time, type PageAddress, type Page, type Region, scrollTable } from './layout.ts';
import { drillPage, proofsRegion, rehearsalPage } from './proofs.ts';
import { releasePage } from './release.ts';
import { stateRegion } from './state.ts';
import type { Followed, Seen } from './watcher.ts';
import { gatesRegion, operationRegion } from './work.ts';

/** What a page shows, and the same for programs. */
export interface Content {
  readonly page: Page;
  readonly json: unknown;
}

export type Entry =
  { readonly name: string; readonly seen: Followed } | { readonly name: string; readonly error: string };

/** The rows of the list: what is wrong comes first in each. */
export function listRegion(entries: readonly Entry[]): Region {
  const body = scrollTable(
    'Environments',
    ['Environment', 'State', 'Live', 'Worst problem', 'Clients', 'Under way'],
    entries.map(row),
  );
  return { id: 'environments', heading: 'Environments', body };
}

function row(entry: Entry): Html {
  const head = html`<th scope="row"><a href="${addressOf(entry.name)}">${entry.name}</a></th>`;
  if ('error' in entry)
    return html`<tr>
      ${head}
      <td colspan="5" class="bad">unknown: ${entry.error}</td>
    </tr>`;
  const { status } = entry.seen;
  const [worst, ...others] = status.troubles;
  const since = status.traffic.held?.since;
  return html`<tr>
    ${head}
    <td>${status.state}</td>
    <td><span class="pill ${status.live}">${status.live}</span></td>
    <td class="${worst ? 'bad' : 'good'}">
      ${worst ? `${worst.seen}${others.length > 0 ? `, and ${count(others.length, 'other')}` : ''}` : 'none'}
    </td>
    <td>
      ${status.traffic.held ? html`<strong class="bad">held${since !== undefined && html` since ${time(since)}`}</strong>` : 'served'}
    </td>
    <td>${status.operation?.verb ?? '–'}</td>
  </tr>`;
}

export function listContent(entries: readonly Entry[]): Content {
  const json = entries.map((entry) =>
    'error' in entry ? entry : { name: entry.name, at: entry.seen.at, status: entry.seen.status },
  );
  const body = html`<h1>Environments</h1>
    <div id="environments">${listRegion(entries).body}</div>
    <p class="at" id="looked">Looked at ${time(new Date().toISOString())}.</p>`;
  return { page: { title: 'Environments', live: '/-/live', trail: [], body }, json };
}

export function environmentRegions(seen: Seen, address?: PageAddress): Region[] {
  return [
    { id: 'state', heading: 'Release', body: stateRegion(seen.status) },
    { id: 'delivery', heading: 'By itself', body: deliveryRegion(seen.status.delivery, seen.environment) },
    { id: 'colours', heading: 'Colours', body: coloursRegion(seen.status, seen.lag) },
    { id: 'operation', heading: 'Under way', body: operationRegion(seen, seen.environment) },
    { id: 'gates', heading: 'Next, and its gate now', body: gatesRegion(seen) },
    {
      id: 'timeline',
      heading: 'This release so far',
      body: timeline({ spans: seen.timeline, pauseMs: seen.status.release && seen.status.pauseMs }),
    },
    { id: 'history', heading: 'Past releases', body: historyRegion(seen.history, address) },
    { id: 'proofs', heading: 'Drills and rehearsals', body: proofsRegion(seen.drills, seen.rehearsals, address) },
  ];
}

export function environmentContent(name: string, seen: Seen): Content {
  const { at, status, operation, preview, history, drills, timeline: spans } = seen;
  const rehearsals = seen.rehearsals.map(({ startedAt, release, verdict }) => ({ startedAt, release, verdict }));
  const body = html`<h1>${name}</h1>
    ${environmentRegions(seen, pagesOf(name)).map(region)}
    <p class="at" id="looked">Looked at ${time(at)}.</p>`;
  return {
    page: { title: name, live: `${addressOf(name)}/live`, trail: [{ href: addressOf(name), text: name }], body },
    json: { name, at, status, operation, timeline: spans, preview, history, drills, rehearsals },
  };
}

/**
 * A page for the release that walks by itself, and for each release that ended, each drill and each rehearsal by when
 * it began; undefined where there is none such.
 */
export function reportContent(name: string, seen: Seen, kind: string, startedAt: string): Content | undefined {
  const trail = [{ href: addressOf(name), text: name }];
  const found = <T extends { readonly startedAt: string }>(all: readonly T[]): T | undefined =>
    all.find((each) => each.startedAt === startedAt);
  const content = (title: string, body: Html, json: unknown): Content => ({ page: { title, trail, body }, json });
  switch (kind) {
    case 'releases': {
      const entry = found(seen.history);
      return entry && content(`${name}, release ${entry.from} → ${entry.to}`, releasePage(entry), entry);
    }
    case 'delivery': {
      const { delivery } = seen.status;
      return (
        delivery &&
        content(
          `${name}, release ${delivery.to} by itself`,
          html`<h1>Release ${delivery.from} → ${delivery.to}, by itself</h1>
            ${deliveryRegion(delivery, seen.environment)}`,
          delivery,
        )
      );
    }
    case 'drills': {
      const drill = found(seen.drills);
      return drill && content(`${name}, drill`, drillPage(drill), drill);
    }
    case 'rehearsals': {
      const report = found(seen.rehearsals);
      return report && content(`${name}, rehearsal`, rehearsalPage(report), report);
    }
    default:
      return undefined;
  }
}

function addressOf(name: string): string {
  return `/e/${name}`;
}

export function pagesOf(name: string): PageAddress {
  return (kind, startedAt) => `${addressOf(name)}/${kind}/${encodeURIComponent(startedAt)}`;
}
