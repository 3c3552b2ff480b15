/** Tables for the terminal: columns padded to their widest cell, the first to the left, the others to the right. */

/** A row of cells, or `rule` for a line across. */
export type TableRow = readonly string[] | 'rule';

/** The table as lines of text, each ended by a line break. */
export function textTable(rows: readonly TableRow[]): string {
  const cells = rows.filter((row) => row !== 'rule');
  const columns = Math.max(...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...cells.map((row) => (row[i] ?? '').length)),
  );
  const lines = rows.map((row) => {
    if (row === 'rule') return '─'.repeat(widths.reduce((sum, width) => sum + width, 2 * (columns - 1)));
    const padded = widths.map((width, i) =>
      i === 0 ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width),
    );
    return padded.join('  ').trimEnd();
  });
  return `${lines.join('\n')}\n`;
}
