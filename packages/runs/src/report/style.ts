/**
 * The report's style sheet. Light and dark follow the reader's system; type is the system's own, so that nothing is loaded; every
 * colour is a variable of the palette. Panels share one grid in a data set's section, so that the eye compares straight down and
 * across.
 */
import { coloursOn, cssVariables } from '../plots/palette.js';

export const reportStyle = (): string => `
:root {
  color-scheme: light dark;
  ${cssVariables(coloursOn('light'))}
  --page: #f7f7f5; --best: #e6f3df; --code: #f1f1ee;
}
@media (prefers-color-scheme: dark) {
  :root { ${cssVariables(coloursOn('dark'))} --page: #0f1114; --best: #24382a; --code: #1c1f24; }
  .images img.ink { filter: invert(0.91); }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; text-rendering: optimizeLegibility;
}
main { max-width: 1240px; margin: 0 auto; padding: 48px 32px 64px; }
h1, h2, h3, p, figure, table, dl, dd, ul { margin: 0; padding: 0; }
h1 { font-size: 2.1rem; line-height: 1.15; letter-spacing: -0.02em; text-wrap: balance; }
h2 { font-size: 1.5rem; line-height: 1.2; letter-spacing: -0.012em; }
h3 { font-size: 1rem; line-height: 1.3; }
a { color: inherit; }
.lead { max-width: 68ch; margin-top: 16px; font-size: 1.08rem; }
.quiet { color: var(--muted); }
.facts { display: flex; flex-wrap: wrap; gap: 14px 36px; margin-top: 26px; padding: 16px 0; border-block: 1px solid var(--rule); }
.facts dt { color: var(--muted); font-size: 0.78rem; letter-spacing: 0.01em; }
.facts dd { font-size: 0.95rem; }
.failed { max-width: 76ch; margin-top: 26px; padding: 12px 16px; background: var(--surface); border: 1px solid var(--rule); border-radius: 6px; }
.failed ul { margin-top: 6px; padding-left: 18px; font-size: 0.9rem; }
.reading { max-width: 76ch; margin-top: 26px; }
.reading p + p { margin-top: 0.7em; }
nav { margin-top: 22px; display: flex; flex-wrap: wrap; gap: 8px 22px; font-size: 0.95rem; }
section { margin-top: 64px; }
.spec { margin-top: 6px; color: var(--muted); font-size: 0.9rem; text-wrap: pretty; }
.note { max-width: 76ch; margin-top: 12px; padding: 8px 14px; background: var(--surface); border: 1px solid var(--rule); border-radius: 6px; font-size: 0.9rem; }
.matrix {
  display: grid; gap: 18px 14px; margin-top: 22px;
  grid-template-columns: 148px repeat(var(--columns), minmax(0, 1fr));
}
.matrix > figure { grid-column: var(--place) / span var(--span, 1); }
.large { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 400px)); gap: 14px; margin-top: 30px; }
.method { padding-top: 2px; grid-column: 1; }
.method h3 { display: flex; align-items: baseline; gap: 8px; }
.method p { margin-top: 6px; color: var(--muted); font-size: 0.82rem; line-height: 1.42; }
.swatch { flex: none; width: 9px; height: 9px; border-radius: 50%; background: var(--of); transform: translateY(-1px); }
figure { min-width: 0; }
figcaption { display: flex; justify-content: space-between; gap: 8px; margin-top: 5px; font-size: 0.8rem; line-height: 1.35; }
figcaption b { font-weight: 600; white-space: nowrap; }
figcaption span { color: var(--muted); text-align: right; }
.panel, .images img, .losses {
  display: block; width: 100%; background: var(--surface); border: 1px solid var(--rule); border-radius: 6px;
}
.panel { aspect-ratio: 1; }
.images img { height: auto; image-rendering: pixelated; border-color: #dcdfe4; background: #fff; }
.training { display: flex; flex-direction: column; }
.losses { flex: 1; min-height: 0; padding: 8px 10px 4px; }
.losses .chart { display: block; width: 100%; height: 100%; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 0.8rem; }
.legend li { display: flex; align-items: baseline; gap: 7px; list-style: none; }
.scroll { overflow-x: auto; margin-top: 30px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { padding: 5px 12px; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
thead th { vertical-align: bottom; border-bottom: 1.5px solid var(--muted); font-size: 0.82rem; }
thead small { display: block; color: var(--muted); font-weight: 400; font-size: 0.74rem; }
tbody { border-bottom: 1px solid var(--rule); }
tbody th { text-align: left; }
th:first-child { text-align: left; padding-left: 0; }
tbody th span { display: inline-flex; align-items: baseline; gap: 8px; }
td small { display: block; color: var(--muted); font-size: 0.72rem; line-height: 1.2; }
td.best { background: var(--best); font-weight: 650; }
td.one-step { box-shadow: inset 0 0 0 1.5px var(--muted); }
tr.floor th, tr.floor td { color: var(--muted); font-style: italic; font-weight: 400; }
.key { margin-top: 9px; color: var(--muted); font-size: 0.8rem; }
.key mark { padding: 1px 6px; color: inherit; background: var(--best); border-radius: 2px; }
.key mark.outline { background: none; box-shadow: inset 0 0 0 1.5px var(--muted); }
details { margin-top: 16px; font-size: 0.88rem; }
summary { cursor: pointer; color: var(--muted); }
pre { margin: 10px 0 0; padding: 14px 16px; overflow-x: auto; background: var(--code); border-radius: 6px; font: 0.8rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font: 0.88em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
footer { margin-top: 64px; padding-top: 18px; border-top: 1px solid var(--rule); color: var(--muted); font-size: 0.85rem; }
@media (max-width: 960px) {
  main { padding: 32px 18px 48px; }
  .matrix { grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); gap: 10px; }
  .method { grid-column: 1 / -1; margin-top: 14px; }
  .matrix > figure { grid-column: calc(var(--place) - 1) / span var(--span, 1); }
  figcaption { flex-wrap: wrap; gap: 0 8px; font-size: 0.74rem; }
  th, td { padding: 5px 8px; }
}
@media (max-width: 560px) {
  .matrix, .large { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .matrix > figure { grid-column: auto; }
  .matrix > .training { grid-column: 1 / -1; }
}
@media print { body { background: none; } section { break-inside: avoid; } }
`;
