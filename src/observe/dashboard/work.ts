import prettyMs from 'pretty-ms';
import { count } from '../../model/count.ts';
import type { Environment } from '../../model/environment.ts';
import { operationOfRecord } from '../../operations/table.ts';
import type { Preview } from '../../operations/reads/preview.ts';
import { previewText } from '../../operations/reads/preview-text.ts';
import { html, type Html } from './html.ts';
import { copyable, prose, time } from './layout.ts';
import type { Background, Look } from './look.ts';

/** The operation that runs, or was cut short, step by step as the journal has it. */
export function operationRegion({ operation, status, at }: Look, environment: Environment): Html {
  if (!operation) return html`<p>None.</p>`;
  const { verb, phase, startedAt } = operation;
  const planned = operationOfRecord(operation);
  const steps = phase === 'complete' ? planned.complete : planned.start;
  const begun = new Map(operation.steps.map((step) => [step.id, step]));
  const state = (id: string): string => {
    const step = begun.get(id);
    return step === undefined ? 'to come' : step.endedAt === undefined ? 'under way' : 'done';
  };
  const done = steps.filter(({ id }) => state(id) === 'done').length;
  const phases = { start: 'before its commit point', complete: 'after its commit point', revert: 'being undone' };
  return html`<p>
      <strong>${verb}</strong> ${phases[phase]}, since ${time(startedAt)}
      (${prettyMs(Math.max(0, Date.parse(at) - Date.parse(startedAt)))}),
      ${
        status.operator
          ? html`by ${status.operator.holder}`
          : html`and nobody works on it: ${copyable('verdigris recover')}`
      }.
    </p>
    <progress max="${steps.length}" value="${done}" aria-label="Steps of ${verb} that are done"></progress>
    <ol class="steps">
      ${steps.map(
        ({ id, title, held }) =>
          html`<li class="${state(id).replace(' ', '-')}">
            <code>${id}</code> ${title}${held && ' (clients wait)'} <span>${state(id)}</span>
          </li>`,
      )}
    </ol>
    <p>At most ${prettyMs(environment.limits.switchover)} may pass from the first held client to the commit point.</p>`;
}

/** What the first gate of what is to come says at this moment, with what fixes it. */
export function gatesRegion({ preview }: Background): Html {
  if ('error' in preview) return html`<p>Unknown: ${preview.error}</p>`;
  const [first = '', ...rest] = previewText({
    ...preview,
    ...(preview.gate && { gate: { ...preview.gate, findings: [] } }),
  }).split('\n');
  return html`<p>${first}</p>
    ${
      rest.length > 0 &&
      html`<ul>
        ${rest.filter((line) => line.trim() !== '').map((line) => html`<li>${line.trim()}</li>`)}
      </ul>`
    }
    ${preview.gate && findings(preview.gate)}`;
}

/** A check whose answer the reading role may not see; that this role be given more is not what it should lead to. */
const notPermitted = 'check-not-permitted';

const shown = 12;

function names(objects: readonly string[]): Html {
  const more = objects.length > shown && `and ${objects.length - shown} more`;
  return html`${objects.slice(0, shown).map((object) => html`<code>${object}</code> `)}${more}`;
}

function findings({ findings: found }: NonNullable<Preview['gate']>): Html {
  const listed = found.filter(({ grade, id }) => grade !== 'info' && id !== notPermitted);
  const closed = found.filter(({ id }) => id === notPermitted).length;
  return html`${listed.map(
    ({ grade, id, title, objects, reason, fix }) =>
      html`<article class="finding ${grade}">
        <h3>${grade}: ${title} <span class="role">${id}</span></h3>
        ${objects.length > 0 && html`<p>${names(objects)}</p>`}
        <p>${prose(reason)}</p>
        <p>Fix:</p>
        <pre tabindex="0">${fix}</pre>
        <button type="button" data-copy="${fix}" aria-label="Copy the fix of ${id}">Copy the fix</button>
      </article>`,
  )}${
    closed > 0 &&
    html`<p>${count(closed, 'check')} more only the operator may make: ${copyable('verdigris preflight')}</p>`
  }`;
}
