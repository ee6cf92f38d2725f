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

/** Milliseconds by which the server's clock is ahead of the browser's. */
let ahead = 0;

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** How far from now each moment of the page is, which the style sheet puts behind it. */
function sayHowFar() {
  for (const element of document.querySelectorAll('time[datetime]')) {
    const distance = Date.now() + ahead - Date.parse(element.dateTime);
    const [size, unit] = units.find(([each]) => Math.abs(distance) >= each) ?? units.at(-1);
    const span = `${Math.floor(Math.abs(distance) / size)} ${unit}`;
    element.dataset.far = distance < 0 ? `in ${span}` : `${span} ago`;
  }
}

/** What is shown is as of then, also where nothing of it has changed. */
function lookedAt(at) {
  const element = document.querySelector('#looked time');
  if (!element) return;
  element.dateTime = at;
  element.textContent = `${at.slice(0, 19).replace('T', ' ')} UTC`;
}

function follow(address) {
  const events = new EventSource(address);
  events.addEventListener('message', ({ data }) => {
    const { now, at, parts = {}, error } = JSON.parse(data);
    for (const [id, markup] of Object.entries(parts)) {
      const part = document.getElementById(id);
      if (part) replace(part, markup);
    }
    if (now !== undefined) ahead = Date.parse(now) - Date.now();
    if (at !== undefined) lookedAt(at);
    sayHowFar();
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
sayHowFar();
setInterval(sayHowFar, 1_000);
if (document.body.dataset.live) follow(document.body.dataset.live);
