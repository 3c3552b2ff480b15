/** Reports as JSON: infinities, which JSON lacks, are written as the text "Infinity". */
import type { Report } from './report.js';

export function reportsJson(reports: readonly Report[]): string {
  return JSON.stringify(
    reports,
    (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value),
    2,
  );
}
