import prettyBytes from 'pretty-bytes';
import type { ColourStatus, Status } from '../../operations/reads/status-types.ts';
import { html, type Html } from './html.ts';

/** Both colours with the stream between them; `lag` is that of the last looks, in bytes. */
export function coloursRegion({ colours, replication, traffic }: Status, lag: readonly number[]): Html {
  const [blue, green] = ['blue', 'green'].map((name) => colours.find(({ colour }) => colour === name));
  return html`<div class="colours">
    ${blue && card(blue, traffic)}${stream(replication, lag)}${green && card(green, traffic)}
  </div>`;
}

function card(seen: ColourStatus, traffic: Status['traffic']): Html {
  const { colour, role, running, error, version, release, bytes, connections, fenced } = seen;
  if (role === 'absent')
    return html`<article class="card ${colour} absent">
      <h3>${colour}</h3>
      <p>does not exist</p>
    </article>`;
  const served = traffic.clients?.[colour];
  return html`<article class="card ${colour}">
    <h3>${colour} <span class="role">${role}</span></h3>
    <p class="${running && error === undefined ? 'up' : 'down'}">${error ?? (running ? 'up' : 'down')}</p>
    <ul>
      <li>release ${release ?? '?'}</li>
      <li>PostgreSQL ${version ?? '?'}</li>
      ${bytes !== undefined && html`<li>${prettyBytes(bytes)}</li>`}${connections !== undefined && html`<li>${connections} sessions</li>`}
      ${served !== undefined && html`<li>${served} clients by the router</li>`}
      ${fenced !== undefined && fenced > 0 && html`<li>closed to ${fenced} roles</li>`}
    </ul>
  </article>`;
}

function stream(replication: Status['replication'], lag: readonly number[]): Html {
  if (!replication) return html`<div class="stream none"><p>no replication</p></div>`;
  const { from, to, applying, applyError, slot, lagBytes, lagSeconds, retainedBytes } = replication;
  const size = (bytes: number | undefined): string => (bytes === undefined ? '?' : prettyBytes(bytes));
  return html`<div class="stream ${applying ? 'up' : 'down'}">
    <p class="arrow ${from}">
      <span class="wide" aria-hidden="true">${from === 'blue' ? '⟶' : '⟵'}</span> <span>${from} to ${to}</span>
    </p>
    <p>${applying ? 'applying' : `not applying${applyError === undefined ? '' : `: ${applyError}`}`}</p>
    <p>slot ${slot}, lag ${size(lagBytes)}, ${(lagSeconds ?? 0).toFixed(1)} s</p>
    <p>WAL retained ${size(retainedBytes)}</p>
    ${lag.length > 1 && sparkline(lag)}
  </div>`;
}

const [width, height] = [200, 36];

function sparkline(values: readonly number[]): Html {
  const most = Math.max(...values, 1);
  const points = values.map(
    (value, place) =>
      `${((place / (values.length - 1)) * width).toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`,
  );
  const text = `Lag over the last ${values.length} looks: at most ${prettyBytes(most)}`;
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" role="img" aria-label="${text}">
    <polyline points="${points.join(' ')}" />
  </svg>`;
}
