/** Results of a parity directory as text: for each tensor the worst error beside the stated float32 floor. */
import type { ParityResult, TensorResult } from './parity-case.js';

const number = (value: number): string => (value === 0 ? '0' : value.toExponential(1));

export function parityText(results: readonly ParityResult[]): string {
  const lines = results.flatMap((result) => {
    switch (result.outcome) {
      case 'unknown':
      case 'damaged':
        return [`${result.outcome.toUpperCase()}  ${result.name}: ${result.reason}`];
      case 'passed':
      case 'failed':
        return [
          `${result.outcome === 'passed' ? 'passed ' : 'FAILED '}  ${result.name}${result.problem === undefined ? '' : `: ${result.problem}`}`,
          ...tensorLines(result.tensors),
        ];
    }
  });
  const count = (outcome: ParityResult['outcome']) =>
    results.filter((result) => result.outcome === outcome).length;
  const counts = (['passed', 'failed', 'unknown', 'damaged'] as const)
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `${count(outcome)} ${outcome}`);
  return [...lines, '', `${results.length} cases: ${counts.join(', ')}`, ''].join('\n');
}

function tensorLines(tensors: readonly TensorResult[]): string[] {
  if (tensors.length === 0) return [];
  const rows = [
    ['tensor', 'worst error', 'float32 floor', 'tolerance', ''],
    ...tensors.map(({ tensor, error, floor, tolerance, passed }) => [
      tensor,
      number(error),
      floor === undefined ? '–' : number(floor),
      number(tolerance),
      passed ? '' : 'OUTSIDE',
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(
    (row) =>
      '           ' +
      row.map((text, c) => (c === 0 ? text.padEnd(widths[c]!) : text.padStart(widths[c]!))).join('  ').trimEnd(),
  ); // prettier-ignore
}
