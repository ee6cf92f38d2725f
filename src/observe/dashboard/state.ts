import prettyMs from 'pretty-ms';
import { count } from '../../model/count.ts';
import { states } from '../../model/transitions.ts';
import type { Status } from '../../operations/reads/status-types.ts';
import { html, type Html } from './html.ts';
import { prose, time } from './layout.ts';

/** Where the release is, what that promises, and what of it does not hold. */
export function stateRegion(status: Status): Html {
  const { state, release, troubles, traffic, retained, pauseMs } = status;
  return html`${held(traffic)}
    <p class="release">
      ${release ? `${release.drill ? 'Drill of release' : 'Release'} ${release.from} → ${release.to}` : 'No release is under way'}${
        status.declaredLive === status.live ? '' : `; the declaration says live: ${status.declaredLive}`
      }.
    </p>
    ${strip(state)}
    <p class="promise ${troubles.length === 0 ? 'good' : 'bad'}">
      <strong>${state}</strong>${
        troubles.length === 0
          ? `: ${status.guarantee}`
          : `, but what it promises does not hold in ${count(troubles.length, 'point')}:`
      }
    </p>
    ${
      troubles.length > 0 &&
      html`<ul class="troubles">
        ${troubles.map(({ id, seen, repair }) => html`<li><strong>${id}</strong> ${seen}. Repair: ${prose(repair)}</li>`)}
      </ul>`
    }
    <dl>
      ${clientsFact(traffic)} ${state === 'switched' && rollbackFact(status)}
      ${retained && fact('Retained', retained.over ? 'retention has passed' : html`until ${time(retained.until)}`, retained.mode)}
      ${status.verification && fact('Verified', time(status.verification.at), status.verification.mode, `${status.verification.rows} rows`, status.proof?.seen)}
      ${pauseMs !== undefined && fact('Last pause', prettyMs(pauseMs))}
    </dl>`;
}

function clientsFact({ address, running, trouble, live, canary }: Status['traffic']): Html {
  const led = trouble ? 'their path does not answer' : `writes to ${live ?? '?'}`;
  const writes = running ? led : 'their path is down';
  return fact('Clients', address, writes, canary ? `${canary} % of the reads to the candidate` : undefined);
}

function rollbackFact({ losslessRollback, endsRollback }: Status): Html {
  const kind = losslessRollback === undefined ? 'unknown' : losslessRollback ? 'lossless' : 'only lossy';
  const rows = endsRollback.join('; ');
  return fact('Rollback', kind, rows ? `until the first row that only the new schema takes: ${rows}` : undefined);
}

function held(traffic: Status['traffic']): Html | false {
  if (!traffic.held) return false;
  const { since } = traffic.held;
  return html`<p class="held" role="alert">Clients are held${since !== undefined && html`, since ${time(since)}`}.</p>`;
}

function strip(current: Status['state']): Html {
  const at = states.indexOf(current);
  return html`<ol class="strip" aria-label="States of a release">
    ${states.map(
      (state, place) =>
        html`<li
          class="${place < at ? 'past' : place === at ? 'now' : 'ahead'}"
          ${place === at && html` aria-current="step"`}
        >
          ${state}
        </li>`,
    )}
  </ol>`;
}

function fact(name: string, ...values: readonly (Html | string | undefined)[]): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${values.filter((value) => value !== undefined).map((value, at) => [at > 0 && ', ', value])}</dd>
  </div>`;
}
