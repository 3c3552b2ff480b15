/** The matrix as one self-contained HTML page: no script, no font and no image from anywhere. */
import { roundoff } from '../numerics/roundoff.js';
import { formatCell, matrixRows } from './matrix.js';
import {
  conforms,
  measurements,
  unsupportedReasons,
  type Absence,
  type OpSummary,
  type Report,
} from './report.js';

const STYLE = `
  :root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
  body { margin: 2rem auto; width: fit-content; max-width: 100rem; padding: 0 1rem; }
  p, ul { max-width: 72rem; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { border-bottom: 1px solid #8884; padding: .2rem .6rem; text-align: right; vertical-align: top; }
  th:first-child, td:first-child, .left { text-align: left; }
  .matrix td { white-space: nowrap; }
  thead th { position: sticky; top: 0; background: Canvas; }
  .passed { background: #2a95; } .near { background: #db35; } .failed { background: #d436; font-weight: 600; }
  .reason { white-space: pre-line; }
  .unsupported { color: #888; } small { color: #888; } code { overflow-wrap: anywhere; }
`;

/** The page. */
export function matrixHtml(reports: readonly Report[], absences: readonly Absence[] = []): string {
  const heads = reports.map(({ backend }) => `<th>${escape(backend).replace('/', '/<br>')}</th>`).join('');
  const rows = matrixRows(reports).map(
    ({ op, cells }) => `<tr><th scope="row">${escape(op)}</th>${cells.map(cellHtml).join('')}</tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Conformance</title><style>${STYLE}</style></head><body>
<h1>Conformance</h1>
<p>The worst error of each op in units of its tolerance: at most 1 is correct. Yellow is above a half. (−n): n cases are unsupported.
Times are the sums over an op’s cases, the reference’s included.</p>
<table class="matrix"><thead><tr><th>op</th>${heads}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table>
${reports.map(reportHtml).join('\n')}
${absences.map(absenceHtml).join('\n')}
<h2>Where tolerances come from</h2>
<p>u = 2⁻²⁴ is the unit roundoff of float32, x the operands, y the result. Graphs of several ops: twice the largest deviation of
16 runs on the float64 interpreter with random roundings of these sizes after every op.</p>
<table><tbody>
${Object.entries(roundoff)
  .map(([op, { analysis }]) => `<tr><td>${escape(op)}</td><td class="left">${prose(analysis)}</td></tr>`)
  .join('\n')}
</tbody></table>
</body></html>
`;
}

function cellHtml(summary: OpSummary | undefined): string {
  if (summary === undefined) return '<td></td>';
  const { failed, passed, worst = 0, seconds } = summary;
  const kind = failed > 0 ? 'failed' : passed === 0 ? 'unsupported' : worst > 0.5 ? 'near' : 'passed';
  return `<td class="${kind}">${escape(formatCell(summary))} <small>${seconds.toFixed(1)} s</small></td>`;
}

function reportHtml(report: Report): string {
  const { backend, device, results, ended } = report;
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const versions = Object.entries(device.versions).map(([name, version]) => `${name} ${version}`);
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  return `<h2>${escape(backend)} ${conforms(report) ? 'conforms' : 'does not conform'}</h2>
<p>${passed} of ${results.length} cases passed. ${escape([device.description, ...versions].join(', '))}</p>
<ul>
${ended === undefined ? '' : `<li class="failed">Ended ${prose(ended)}</li>`}
${measurements(report)
  .map(({ detail }) => `<li>${prose(detail)}</li>`)
  .join('\n')}
${failed.map(({ id, detail = '' }) => `<li class="failed"><code>${escape(id)}</code><div class="reason">${prose(detail)}</div></li>`).join('\n')}
${[...unsupportedReasons(report)]
  .map(
    ([reason, cases]) =>
      `<li>Unsupported: ${prose(reason)}<details><summary>${cases.length} case${cases.length === 1 ? '' : 's'}</summary>` +
      `${cases.map(({ id }) => `<code>${escape(id)}</code>`).join('<br>')}</details></li>`,
  )
  .join('\n')}
</ul>`;
}

function absenceHtml({ backend, reason, isUnavailable }: Absence): string {
  return `<h2>${escape(backend)} ${isUnavailable ? 'does not run here' : 'broke'}</h2>\n<p class="reason">${prose(reason)}</p>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
/** Text of a report, in which code stands between backticks. */
const prose = (text: string): string => escape(text).replaceAll(/`([^`\n]+)`/g, '<code>$1</code>');
