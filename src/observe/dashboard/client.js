// Replaces what changed by what the server sends, and copies. Without it the page shows the same, as of when it was
// loaded.
import { drawCharts } from './charts.js';

const link = document.getElementById('link');

/** As the server sent it last: a chart that was drawn is no change. */
const sent = new WeakMap();

/** Whoever is at a control keeps it, also where what is around it was replaced. */
function replace(part, markup) {
  const same = sent.has(part) ? sent.get(part) === markup : part.innerHTML === markup;
  if (same || (part.contains(getSelection()?.anchorNode) && !getSelection()?.isCollapsed)) return;
  const copied = part.contains(document.activeElement) ? document.activeElement.dataset.copy : undefined;
  part.innerHTML = markup;
  sent.set(part, markup);
  drawCharts();
  if (copied !== undefined)
    [...part.querySelectorAll('[data-copy]')].find(({ dataset }) => dataset.copy === copied)?.focus();
}

function follow(address) {
  const events = new EventSource(address);
  events.addEventListener('message', ({ data }) => {
    const { parts = {}, error } = JSON.parse(data);
    for (const [id, markup] of Object.entries(parts)) {
      const part = document.getElementById(id);
      if (part) replace(part, markup);
    }
    link.textContent = error === undefined ? 'live' : `unknown: ${error}`;
  });
  events.addEventListener('error', () => (link.textContent = 'not connected: what is shown may be old'));
}

addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-copy]') : null;
  if (!button) return;
  navigator.clipboard.writeText(button.dataset.copy).then(
    () => (link.textContent = 'copied'),
    () => (link.textContent = 'this browser did not let the page copy'),
  );
});

drawCharts();
if (document.body.dataset.live) follow(document.body.dataset.live);
