/** Reports as JSON: infinities, which JSON lacks, are written as the text "Infinity". */
import type { Absence, Report } from './report.js';

/** A list: reports, then `{ backend, absent }` for what has none. */
export function reportsJson(reports: readonly Report[], absences: readonly Absence[] = []): string {
  return JSON.stringify(
    [...reports, ...absences.map(({ backend, reason }) => ({ backend, absent: reason }))],
    (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value),
    2,
  );
}
