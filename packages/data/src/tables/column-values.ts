/**
 * The cells of one column as numbers, all written in the same way: as numbers, as percentages, or as the words true and false. Also
 * what is to be known of the column to write samples as its source is written.
 */
import { isDecimalSpelling, parseBoolean, parseNumber, parsePercent, type NumberFormat } from './cells.js';

/** How a column's cells are written. */
export type ColumnStyle = 'number' | 'percent' | 'boolean';

export class ColumnValues {
  /** Decided by the first cell that is there. */
  style: ColumnStyle | undefined;
  /** Whether all values are whole numbers. */
  isInteger = true;
  /** Whether float64 holds all of its whole numbers as they are written. */
  isExact = true;
  /** The words of a boolean column for 0 and 1, as they are first written. */
  readonly words: [string | undefined, string | undefined] = [undefined, undefined];

  constructor(private readonly format: NumberFormat) {}

  /** The value of a cell; undefined when it is none, or is written in another way than the cells before. */
  read(cell: string): number | undefined {
    const value = this.valueOf(cell);
    if (value !== undefined) {
      this.isInteger &&= Number.isInteger(value);
      this.isExact &&= Math.abs(value) <= Number.MAX_SAFE_INTEGER || isDecimalSpelling(cell);
    }
    return value;
  }

  private valueOf(cell: string): number | undefined {
    if (this.style === undefined || this.style === 'number') {
      const value = parseNumber(cell, this.format);
      if (value !== undefined) this.style = 'number';
      if (value !== undefined || this.style === 'number') return value;
    }
    if (this.style !== 'boolean') {
      const value = parsePercent(cell, this.format);
      if (value !== undefined) this.style = 'percent';
      if (value !== undefined || this.style === 'percent') return value;
    }
    const value = parseBoolean(cell);
    if (value === undefined) return undefined;
    this.style = 'boolean';
    this.words[value] ??= cell;
    return value;
  }
}
