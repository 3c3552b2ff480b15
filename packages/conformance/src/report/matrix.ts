/** The matrix ops × backends, as data and as text for a terminal. */
import {
  conforms,
  measurements,
  summarise,
  unsupportedReasons,
  type Absence,
  type OpSummary,
  type Report,
} from './report.js';

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

export interface MatrixTextOptions {
  /** Backends without a report, to be told with their reasons. */
  readonly absences?: readonly Absence[];
  /** List every unsupported case, not only how many there are for each reason. */
  readonly listUnsupported?: boolean;
}

/** The matrix as text: errors, then times, then what failed and what is unsupported. */
export function matrixText(reports: readonly Report[], options: MatrixTextOptions = {}): string {
  const { absences = [], listUnsupported = false } = options;
  const rows = matrixRows(reports);
  const blank = ['', '', ...reports.map(() => '')];
  const table = [
    ...headLines('error', 'cases', reports),
    ...rows.map(({ op, cells }) => [op, `${Math.max(...cells.map(caseCount))}`, ...cells.map(formatCell)]),
    blank,
    ...headLines('seconds', '', reports),
    ...rows.map(({ op, cells }) => [op, '', ...cells.map((cell) => cell?.seconds.toFixed(1) ?? '')]),
    ['total', '', ...reports.map((report) => secondsOf(report).toFixed(1))],
  ];
  return [
    ...reports.map(deviceLine),
    '',
    ...alignColumns(table),
    '',
    'Errors are the worst of an op in units of its tolerance: at most 1 is correct. (−n): n cases unsupported.',
    'Seconds are the sums over an op’s cases, the reference’s included.',
    ...reports.flatMap((report) => ['', ...reportLines(report, listUnsupported)]),
    ...absences.flatMap((absence) => ['', absenceText(absence)]),
    '',
  ].join('\n');
}

/** A name such as `chromium/ort:wasm` is broken at its stroke, so that ten columns fit a terminal. */
function headLines(title: string, count: string, reports: readonly Report[]): string[][] {
  const names = reports.map(({ backend }) => backend);
  const places = names.map((name) => name.slice(0, name.indexOf('/') + 1));
  const line = [title, count, ...names.map((name) => name.slice(name.indexOf('/') + 1))];
  return places.every((place) => place === '') ? [line] : [['', '', ...places], line];
}

function deviceLine({ backend, device: { description, versions } }: Report): string {
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${backend}: ${description}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}

function absenceText({ backend, reason, isUnavailable }: Absence): string {
  return `${backend} ${isUnavailable ? 'does not run here' : 'BROKE'}\n${reason.replaceAll(/^/gm, '  ')}`;
}

const secondsOf = ({ results }: Report): number => results.reduce((total, { seconds }) => total + seconds, 0);

const caseCount = (cell: OpSummary | undefined): number =>
  cell === undefined ? 0 : cell.passed + cell.failed + cell.unsupported;

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!))).join('  ').trimEnd(),
  ); // prettier-ignore
}

function reportLines(report: Report, all: boolean): string[] {
  const { backend, results, ended } = report;
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  const verdict = conforms(report) ? 'conforms' : 'DOES NOT CONFORM';
  return [
    `${backend} ${verdict}: ${passed} of ${results.length} cases passed, ${failed.length} failed, in ${secondsOf(report).toFixed(1)} s`,
    ...(ended === undefined ? [] : [`  ENDED        ${ended}`]),
    ...measurements(report).map(({ op, detail }) => `  ${op.padEnd(11)}  ${detail}`),
    ...failed.map(
      ({ id, detail = '' }) => `  failed       ${id}\n${detail.replaceAll(/^/gm, ' '.repeat(15))}`,
    ),
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
