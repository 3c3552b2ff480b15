/**
 * Tables for the terminal: columns padded to their widest cell, the first to the left, the others to the right. What a
 * cell holds may come from a file: it is made printable.
 */
import { printable } from '@meanflow/core/validation';

/** A row of cells, or `rule` for a line across. */
export type TableRow = readonly string[] | 'rule';

/** The table as lines of text, each ended by a line break. */
export function textTable(given: readonly TableRow[]): string {
  const rows = given.map((row) => (row === 'rule' ? row : row.map((cell) => printable(cell))));
  const widths: number[] = [];
  for (const row of rows) {
    if (row === 'rule') continue;
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  }
  const columns = widths.length;
  const lines = rows.map((row) => {
    if (row === 'rule') return '─'.repeat(widths.reduce((sum, width) => sum + width, 2 * (columns - 1)));
    const padded = widths.map((width, i) =>
      i === 0 ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width),
    );
    return padded.join('  ').trimEnd();
  });
  return `${lines.join('\n')}\n`;
}
