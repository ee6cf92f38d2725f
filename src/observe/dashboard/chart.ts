import type { Metric } from '../../model/delivery-metrics.ts';
import { html, type Html } from './html.ts';

/** Numbers that a metric's conditions compare with. */
export function limitsOf(metric: Pick<Metric, 'success' | 'failure'> | undefined): readonly number[] {
  const all = [...(metric?.success ?? []), ...(metric?.failure ?? [])].map(({ than }) => than);
  return [...new Set(all)];
}

/** Drawn by the page's script from its data; what it shows is in its label too, and in the table above it. */
export function chart(
  name: string,
  series: readonly (readonly [at: number, value: number])[],
  limits: readonly number[],
): Html | undefined {
  const [first, last] = [series[0], series.at(-1)];
  // One value is no course.
  if (!first || !last || series.length < 2) return undefined;
  const values = series.map(([, value]) => value);
  const figures = [Math.min(...values), Math.max(...values), last[1]].map((value) => Number(value.toPrecision(4)));
  const label = `${name}: ${series.length} values between ${figures[0]} and ${figures[1]}, the last one ${figures[2]}`;
  const data = JSON.stringify({ times: series.map(([at]) => at / 1000), values, limits });
  return html`<figure>
    <figcaption>${label}</figcaption>
    <div class="plot" role="img" aria-label="${label}" data-plot="${data}"></div>
  </figure>`;
}
