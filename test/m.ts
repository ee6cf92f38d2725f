import { withEnvironment } from './support/environment.ts';
import { readFileSync } from 'node:fs';
const cg = process.env['CG'] ?? '';
const cpu = () => Number(readFileSync(cg + '/cpuacct.usage', 'utf8')) / 1e6;
let last = cpu(),
  lw = performance.now();
const mark = (n: string) => {
  const c = cpu(),
    w = performance.now();
  console.log(n.padEnd(10), 'cpu', Math.round(c - last), 'wall', Math.round(w - lw));
  last = c;
  lw = w;
};
await withEnvironment({}, async (t) => {
  mark('create');
  for (const v of [
    'seed',
    'migrate',
    'verify',
    'canary',
    'switch',
    'rollback',
    'verify',
    'switch',
    'retire',
  ] as const) {
    await t.verb(v, { canary: v === 'canary' ? 10 : 0 });
    mark(v);
  }
});
mark('destroy');
