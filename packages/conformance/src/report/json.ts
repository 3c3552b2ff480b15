/** Reports as JSON: infinities, which JSON lacks, are written as the text "Infinity". */
import type { Absence, Report } from './report.js';

/** A list: reports, then what has none: `{ backend, absent }` with the reason, or `{ backend, broke }`. */
export function reportsJson(reports: readonly Report[], absences: readonly Absence[] = []): string {
  return JSON.stringify(
    [...reports, ...absences.map(toJson)],
    (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value),
    2,
  );
}

const toJson = ({ backend, reason, isUnavailable }: Absence) =>
  isUnavailable ? { backend, absent: reason } : { backend, broke: reason };
