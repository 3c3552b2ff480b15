/** The matrix ops × backends, as data and as text for a terminal. */
import { conforms, summarise, unsupportedReasons, type OpSummary, type Report } from './report.js';

/** One row: an op, and its summary on each backend (undefined where the backend ran no case of it). */
export interface MatrixRow {
  readonly op: string;
  readonly cells: readonly (OpSummary | undefined)[];
}

/** Rows in the order of the cases. */
export function matrixRows(reports: readonly Report[]): readonly MatrixRow[] {
  const summaries = reports.map((report) => new Map(summarise(report).map((row) => [row.op, row])));
  const ops = [...new Set(summaries.flatMap((rows) => [...rows.keys()]))];
  return ops.map((op) => ({ op, cells: summaries.map((rows) => rows.get(op)) }));
}

/** A number of units of the tolerance. */
export function formatUnits(worst: number): string {
  if (!Number.isFinite(worst)) return '∞';
  if (worst === 0) return '0';
  return worst < 0.005 ? '<0.01' : worst >= 100 ? worst.toExponential(0) : worst.toFixed(2);
}

/** A cell in words: the worst error, or what failed, or that nothing of the op is supported. */
export function formatCell(summary: OpSummary | undefined): string {
  if (summary === undefined) return '';
  const { passed, failed, unsupported, worst } = summary;
  if (failed > 0)
    return `${failed} FAILED${worst !== undefined && worst > 1 ? ` ${formatUnits(worst)}` : ''}`;
  if (passed === 0) return 'unsupported';
  const error = worst === undefined ? 'ok' : formatUnits(worst);
  return unsupported > 0 ? `${error} (−${unsupported})` : error;
}

/**
 * The matrix as text, with what failed and what is unsupported below it.
 *
 * @param options.listUnsupported list every unsupported case, not only how many there are for each reason
 */
export function matrixText(
  reports: readonly Report[],
  options: { readonly listUnsupported?: boolean } = {},
): string {
  const head = ['', 'cases', ...reports.map(({ backend }) => backend), 'seconds'];
  const body = matrixRows(reports).map(({ op, cells }) => [
    op,
    `${Math.max(...cells.map(caseCount))}`,
    ...cells.map(formatCell),
    cells.map((cell) => (cell === undefined ? '' : cell.seconds.toFixed(1))).join(' / '),
  ]);
  return [
    ...reports.map(({ backend, device }) => `${backend}: ${device.description} ${versionText(device.versions)}`),
    '',
    ...alignColumns([head, ...body]),
    '',
    'Numbers are the worst error in units of the tolerance: at most 1 is correct. (−n): n cases unsupported.',
    ...reports.flatMap((report) => ['', ...reportLines(report, options.listUnsupported ?? false)]),
    '',
  ].join('\n'); // prettier-ignore
}

const caseCount = (cell: OpSummary | undefined): number =>
  cell === undefined ? 0 : cell.passed + cell.failed + cell.unsupported;

function versionText(versions: Readonly<Record<string, string>>): string {
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return parts.length > 0 ? `(${parts.join(', ')})` : '';
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join('  ').trimEnd(),
  ); // prettier-ignore
}

function reportLines(report: Report, all: boolean): string[] {
  const { backend, results } = report;
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  const seconds = results.reduce((total, result) => total + result.seconds, 0);
  const verdict = conforms(report) ? 'conforms' : 'DOES NOT CONFORM';
  return [
    `${backend} ${verdict}: ${passed} of ${results.length} cases passed, ${failed.length} failed, in ${seconds.toFixed(1)} s`,
    ...failed.map(({ id, detail = '' }) => `  failed       ${id}\n               ${detail}`),
    ...[...unsupportedReasons(report)].flatMap(([reason, cases]) => [
      `  unsupported  ${cases.length} case${cases.length === 1 ? '' : 's'} (${ops(cases)}): ${reason}`,
      ...(all ? cases.map(({ id }) => `                 ${id}`) : []),
    ]),
  ];
}

function ops(cases: readonly { readonly op: string }[]): string {
  const names = [...new Set(cases.map(({ op }) => op))];
  return names.length > 6 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}
