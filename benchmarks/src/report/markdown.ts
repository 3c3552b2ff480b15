/** The report as Markdown. */
import { facts, method, sections, type Table } from './tables.js';
import type { Results } from './results.js';

export function markdownReport(results: Results): string {
  const parts = [
    '# Benchmarks',
    ...facts(results),
    ...sections(results).flatMap(({ title, before, table, after }) => [
      `## ${title}`,
      ...before,
      ...(table === undefined ? [] : [markdownTable(table)]),
      ...(after.length === 0 ? [] : [after.map((line) => `- ${line}`).join('\n')]),
    ]),
    '## How it was measured',
    ...method,
  ];
  return `${parts.join('\n\n')}\n`;
}

function markdownTable({ head, rows }: Table): string {
  const cells = [head, ...rows.map((row) => row.map(({ text }) => text.replaceAll('|', '\\|')))];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(cells[0]!), rule, ...cells.slice(1).map(line)].join('\n');
}
