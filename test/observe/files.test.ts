import path from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { dashboard } from '../../src/metrics/dashboard.ts';
import { metrics } from '../../src/metrics/metrics.ts';
import { alertRules, ruleGroups } from '../../src/metrics/rules.ts';
import { runbookPage } from '../../src/observe/runbook.ts';
import { document, root } from '../docs/sources.ts';

const folder = path.join(root, 'examples/monitoring');
const named = (text: string): string[] => [...new Set(text.match(/verdigris_[a-z_]+/g) ?? [])];

// Rewritten by `npx vitest run test/observe --update`.
test('the files for Prometheus and Grafana are those that the sources make', async () => {
  await expect(stringify(ruleGroups(), { lineWidth: 0 })).toMatchFileSnapshot(path.join(folder, 'alerts.yaml'));
  await expect(`${JSON.stringify(dashboard(), null, 2)}\n`).toMatchFileSnapshot(path.join(folder, 'dashboard.json'));
});

test('every metric that they name exists, with the labels that they ask for', () => {
  const texts = alertRules.map(({ expr }) => expr).concat(named(JSON.stringify(dashboard())));
  for (const name of named(texts.join(' '))) expect(Object.keys(metrics), name).toContain(name);
  for (const { alert, expr, annotations } of alertRules) {
    const labels = new Set(
      named(expr)
        .flatMap((name) => [...(metrics[name as keyof typeof metrics]?.labels ?? [])] as string[])
        .concat('environment', 'instance'),
    );
    for (const [, label = ''] of `${annotations.summary} ${annotations.description}`.matchAll(/\$labels\.(\w+)/g))
      expect([...labels], alert).toContain(label);
  }
});

test('every alert leads to a page that is there', () => {
  for (const { alert, annotations } of alertRules) {
    if (annotations.runbook_url === undefined) continue;
    const [file = '', anchor] = annotations.runbook_url.replace('http://{{ $labels.instance }}/', '').split('#');
    const text = document(file);
    if (anchor !== undefined) expect(text, alert).toMatch(new RegExp(`^#+ ${anchor}$`, 'm'));
  }
});

test('a page of an alert opens in a browser at its section, and its links lead on', () => {
  const page = runbookPage('findings.md', '## apply-stopped\n\nA <row>; see [abandon](operations/abandon.md#how).\n');
  expect(page).toContain('<b id="apply-stopped">## apply-stopped</b>');
  expect(page).toContain('A &lt;row&gt;; see <a href="operations/abandon.md#how">abandon</a>.');
  for (const { alert, annotations } of alertRules) {
    const [file = '', anchor] = (annotations.runbook_url ?? '').split('/docs/')[1]?.split('#') ?? [];
    if (anchor !== undefined)
      expect(runbookPage(file, document(`docs/${file}`)), alert).toContain(`<b id="${anchor}">`);
  }
});

test('every metric and every alert is described', () => {
  const text = document('docs/metrics.md');
  const rows = Object.entries(metrics)
    .map(
      ([name, { labels, help }]) =>
        `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ') || '–'} | ${help} |`,
    )
    .concat(alertRules.map(({ alert }) => `| \`${alert}\` |`));
  expect(rows.filter((row) => !text.includes(row))).toEqual([]);
});
