import type { LockMode } from '../lint/locks.ts';

/** From cold to hot: what only slows schema changes, what stops writes, what stops everything. */
export const modeColours: Readonly<Record<LockMode, string>> = {
  'ACCESS SHARE': '#b8c4cf',
  'ROW SHARE': '#a3b4c4',
  'ROW EXCLUSIVE': '#86a8c6',
  'SHARE UPDATE EXCLUSIVE': '#4f9d8f',
  SHARE: '#d9a521',
  'SHARE ROW EXCLUSIVE': '#e0862a',
  EXCLUSIVE: '#dd6532',
  'ACCESS EXCLUSIVE': '#c8323f',
};

/** Of the drawing alone, for pages that hold it beside other things. It is read by scrolling where it is too narrow to be read whole. */
export const drawingStyle = `
.drawing { overflow-x:auto }
.drawing svg { display:block; width:100%; min-width:900px; height:auto }
.drawing svg text { font:12px system-ui,"Segoe UI",Roboto,sans-serif; fill:var(--ink) }
.drawing svg .soft { fill:var(--soft) }
.drawing svg .lane { font-weight:600 }
.drawing svg .grid { stroke:var(--line) }
.drawing svg *, .dot { print-color-adjust:exact }
.dot { display:inline-block; width:10px; height:10px; border-radius:3px; margin-right:6px }
.legend { display:flex; flex-wrap:wrap; gap:4px 18px; font-size:13px; color:var(--soft); margin:8px 0 0 }
`;

/** Colours by system preference; SVG text takes them too. */
export const style = `
:root { --ink:#1d2731; --soft:#5c6b78; --line:#dde3e8; --ground:#ffffff; --card:#f5f7f9; --blue:#2d6fb3;
  --band:#c8323f22; color-scheme:light dark }
@media (prefers-color-scheme: dark) { :root { --ink:#e4eaef; --soft:#9aa8b4; --line:#34414c;
  --ground:#151b21; --card:#1e262e; --blue:#6fb0ee; --band:#e0505d33 } }
* { box-sizing:border-box }
body { margin:0; background:var(--ground); color:var(--ink); font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif }
main { max-width:1240px; margin:0 auto; padding:32px 24px 64px }
h1 { font-size:26px; line-height:1.25; margin:0 0 4px }
h2 { font-size:18px; margin:40px 0 12px }
p.sub { color:var(--soft); margin:0 }
h1,p { overflow-wrap:anywhere }
.badge { display:inline-block; padding:3px 12px; border-radius:99px; color:#fff; font-weight:600;
  font-size:14px; vertical-align:4px; margin-right:10px }
.fits { background:#2a7d5f } .refused,.failed { background:#c8323f }
.cards { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(250px,100%),1fr)); gap:12px; margin:24px 0 }
.card { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:12px 16px }
.card b { display:block; font-size:22px; line-height:1.3; font-variant-numeric:tabular-nums }
.card span { color:var(--soft); font-size:13px }
.finding { border-left:4px solid var(--line); padding:6px 0 6px 14px; margin:12px 0 }
.finding.refuse { border-color:#c8323f }
.finding.warn { border-color:#d9a521 }
.finding.info { border-color:var(--blue) }
.finding h3 { font-size:15px; margin:0 }
.finding p { margin:2px 0; color:var(--soft); font-size:14px }
.tag { font-size:12px; color:var(--soft); border:1px solid var(--line); border-radius:4px; padding:0 6px;
  margin-left:8px; font-weight:400; display:inline-block }
code,pre { font:13px/1.45 ui-monospace,"SF Mono",Menlo,Consolas,monospace }
pre { background:var(--card); border:1px solid var(--line); border-radius:8px; padding:12px; overflow:auto;
  white-space:pre-wrap; overflow-wrap:anywhere }
.finding code { overflow-wrap:anywhere }
.scroll { overflow-x:auto; border:1px solid var(--line); border-radius:10px }
table { border-collapse:collapse; width:100%; font-size:14px }
th,td { text-align:left; vertical-align:top; padding:8px 12px; border-top:1px solid var(--line) }
th { border-top:0; background:var(--card); font-weight:600; color:var(--soft); font-size:13px }
td.n,th.n { text-align:right; white-space:nowrap; font-variant-numeric:tabular-nums }
td code { overflow-wrap:anywhere; white-space:pre-wrap }
td small { color:var(--soft); display:block }
.error { color:#c8323f; font-weight:600 }
@media (max-width:500px) { main { padding:20px 12px } }
@media print { main { padding:0 } .scroll,.drawing { overflow:visible } }
${drawingStyle}`;
