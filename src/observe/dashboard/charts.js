// Draws what the page's data say, in the colours of its scheme. Without it the figures are in the tables.
import Plot from './plot.js';

const scheme = matchMedia('(prefers-color-scheme: dark)');
const drawn = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** In UTC, as every time on the page; the date where it is another than that of the mark before. */
function moments(_plot, marks, _axis, _space, step) {
  return marks.map((seconds, index) => {
    const [date, time] = utc(seconds, step);
    const [before] = index === 0 ? [] : utc(marks[index - 1], step);
    return date === before ? time : `${time}\n${date}`;
  });
}

function utc(seconds, step) {
  const text = new Date(seconds * 1000).toISOString();
  return [text.slice(0, 10), text.slice(11, step < 60 ? 19 : 16)];
}

function draw(place) {
  const { times, values, limits } = JSON.parse(place.dataset.plot);
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  const value = { label: 'value', stroke: colour('--blue'), width: 2, points: { show: values.length < 25 } };
  const limit = (at) => ({
    label: `limit ${at}`,
    stroke: colour('--bad'),
    width: 1,
    dash: [5, 4],
    points: { show: false },
  });
  const options = {
    width: Math.max(220, place.clientWidth),
    height: 150,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    tzDate: (seconds) => Plot.tzDate(new Date(seconds * 1000), 'UTC'),
    axes: [
      { ...axis, values: moments },
      { ...axis, size: 60 },
    ],
    series: [{}, value, ...limits.map(limit)],
  };
  return new Plot(options, [times, values, ...limits.map((at) => times.map(() => at))], place);
}

/** Draws what is new, and lets go of what is no longer on the page. */
export function drawCharts() {
  for (const [place, plot] of drawn)
    if (!place.isConnected) {
      plot.destroy();
      drawn.delete(place);
    }
  for (const place of document.querySelectorAll('[data-plot]')) if (!drawn.has(place)) drawn.set(place, draw(place));
}

function drawAgain() {
  for (const [place, plot] of drawn) {
    plot.destroy();
    drawn.delete(place);
  }
  drawCharts();
}

scheme.addEventListener('change', drawAgain);
addEventListener('resize', () => {
  for (const [place, plot] of drawn) plot.setSize({ width: Math.max(220, place.clientWidth), height: 150 });
});
