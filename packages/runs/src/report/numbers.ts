/** Numbers as a reader wants them: as many digits as mean something, shares in per cent, times in minutes. */
import type { MetricColumn } from './results.js';

/** A metric's value. A minus sign is a real one (U+2212). */
export function metricText(value: number, { unit }: Pick<MetricColumn, 'unit'>): string {
  if (!Number.isFinite(value)) return 'not finite';
  if (unit === 'share') return `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 4;
  // Rounding to nothing leaves no sign.
  const text = size.toFixed(decimals);
  return value < 0 && Number(text) > 0 ? `−${text}` : text;
}

/** Seconds as `48 s`, `3 min 20 s` or `1 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A whole number with thousands separated by commas. */
export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** How many a second, `2.4` or `1,648`: a whole number would make 0 of what is slow. */
export function rateText(perSecond: number): string {
  return perSecond < 9.95 ? String(Number(perSecond.toPrecision(2))) : countText(perSecond);
}

/** Bytes as `812 bytes`, `3.4 kB`, `2.4 GB` or `60 TB`, in powers of a thousand. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const power = Math.min(5, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${['', 'kB', 'MB', 'GB', 'TB', 'PB'][power]}`;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The place of the best value, or −1 where there is none; the first of equals. */
export function bestIndex(values: readonly (number | undefined)[], better: MetricColumn['better']): number {
  const cost = (value: number): number =>
    better === 'lower' ? value : better === 'higher' ? -value : Math.abs(value - 1);
  let best = -1;
  values.forEach((value, i) => {
    if (value === undefined || !Number.isFinite(value)) return;
    const incumbent = best < 0 ? undefined : values[best];
    if (incumbent === undefined || cost(value) < cost(incumbent)) best = i;
  });
  return best;
}
