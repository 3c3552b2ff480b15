/** The report as one page that needs nothing else: bars to look at, tables to read, in light and dark. */
import { facts, method, sections, type Bar, type Section, type Table } from './tables.js';
import type { Results } from './results.js';
import { style } from './style.js';

export function htmlReport(results: Results): string {
  const all = sections(results);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>meanflow: benchmarks</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
<h1>Benchmarks</h1>
${facts(results).map(paragraph).join('\n')}
<nav>${all.map(({ id, title }) => `<a href="#${id}">${escape(title.split(':')[0]!)}</a>`).join(' ')}</nav>
</header>
<main>
${all.map(section).join('\n')}
<section id="method"><h2>How it was measured</h2>
${method.map(paragraph).join('\n')}
</section>
</main>
</body>
</html>
`;
}

function section({ id, title, before, bars, table, after }: Section): string {
  return [
    `<section id="${id}"><h2>${escape(title)}</h2>`,
    ...before.map(paragraph),
    ...(bars.length === 0 ? [] : [`<div class="bars">${bars.map(bar).join('\n')}</div>`]),
    ...(table === undefined ? [] : [htmlTable(table)]),
    ...after.map((line) => `<p class="note">${escape(line)}</p>`),
    '</section>',
  ].join('\n');
}

function bar({ label, text, share, side }: Bar): string {
  return (
    `<div class="bar ${side}"><span class="label">${escape(label)}</span>` +
    `<span class="track"><span style="width:${(100 * share).toFixed(1)}%"></span></span><span class="value">${escape(text)}</span></div>`
  );
}

function htmlTable({ head, rows }: Table): string {
  const cells = rows.map((row) =>
    row.map(({ text, tone }, i) => {
      const content = escape(text);
      return i === 0
        ? `<th scope="row">${content}</th>`
        : `<td${tone === undefined ? '' : ` class="${tone}"`}>${content}</td>`;
    }),
  );
  return `<div class="scroll" tabindex="0"><table>
<thead><tr>${head.map((text) => `<th scope="col">${escape(text)}</th>`).join('')}</tr></thead>
<tbody>
${cells.map((row) => `<tr>${row.join('')}</tr>`).join('\n')}
</tbody></table></div>`;
}

const paragraph = (text: string): string =>
  `<p>${escape(text).replaceAll(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')}</p>`;

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
