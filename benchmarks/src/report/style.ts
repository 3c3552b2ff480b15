/** The look of the page. */
export const style = `
:root { --paper: #fcfcfa; --ink: #1d1f24; --soft: #656a74; --line: #e3e3de; --track: #eeeeea;
  --ours: #0b6e63; --rewrite: #58a99d; --peer: #b9bcc4; --ahead: #0b6e63; --behind: #b3401f; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15171b; --ink: #e7e8ea; --soft: #9aa0ab; --line: #2c3037; --track: #22252b;
    --ours: #3fc1ae; --rewrite: #2b7d73; --peer: #5b616c; --ahead: #55cbb9; --behind: #f08a66; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
header, main { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 3rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 1rem; letter-spacing: -.02em; }
h2 { font-size: 1.15rem; line-height: 1.35; margin: 0 0 .75rem; text-wrap: balance; }
p { margin: 0 0 .6rem; max-width: 46rem; color: var(--soft); text-wrap: pretty; }
p strong { color: var(--behind); }
nav { display: flex; flex-wrap: wrap; gap: .35rem .9rem; margin: 1.25rem 0 0; padding: .75rem 0; border-block: 1px solid var(--line); }
nav a { color: var(--ours); text-decoration: none; font-size: .9rem; }
nav a:hover, nav a:focus-visible { text-decoration: underline; }
section { padding: 2rem 0; border-bottom: 1px solid var(--line); }
section:last-child { border: 0; }
.bars { display: grid; gap: .4rem; margin: 0 0 1.25rem; }
.bar { display: grid; grid-template-columns: 15rem 1fr 8.5rem; gap: .75rem; align-items: center; font-size: .9rem; }
.bar .label { overflow-wrap: anywhere; line-height: 1.25; }
.bar .value { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.track { display: block; height: .8rem; border-radius: .2rem; background: var(--track); }
.track span { display: block; height: 100%; min-width: 2px; border-radius: .2rem; background: var(--peer); }
.ours .label { font-weight: 600; }
.ours .track span { background: var(--ours); }
.rewrite .track span { background: var(--rewrite); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; font-weight: 500; color: var(--soft); line-height: 1.25; min-width: 4.2rem; }
tbody th { font-weight: 500; white-space: nowrap; position: sticky; left: 0; background: var(--paper); }
th:first-child { text-align: left; }
tbody tr:last-child > * { border-bottom: 0; }
td.ahead { color: var(--ahead); font-weight: 600; }
td.behind { color: var(--behind); font-weight: 600; }
.note { font-size: .84rem; margin: .6rem 0 0; }
@media (max-width: 42rem) {
  header { padding-top: 2rem; }
  .bar { grid-template-columns: 1fr auto; gap: .1rem .75rem; }
  .bar .track { grid-column: 1 / -1; grid-row: 2; }
  tbody th { white-space: normal; min-width: 8rem; }
}
`;
