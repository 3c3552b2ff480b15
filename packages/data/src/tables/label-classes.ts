/**
 * The classes of a label column. What is written decides: `01`, `1` and `1.0` are three classes, each called as it is written.
 * Where labels are numbers they are ordered by size, else by code unit, so that the same file always gives the same classes.
 */
import { DataError } from '@meanflow/core';
import { kindOfCell, parseNumber, plainNumbers } from './cells.js';

/** Collects labels row by row. */
export class LabelClasses {
  private readonly found = new Map<string, number>();
  private readonly rows: number[] = [];

  add(label: string): void {
    let place = this.found.get(label);
    if (place === undefined) this.found.set(label, (place = this.found.size));
    this.rows.push(place);
  }

  /**
   * The class of each row, and the classes' names in order.
   *
   * @param where file and column, for messages
   * @throws {DataError} when every row has a class of its own
   */
  finish(where: string): {
    readonly labels: Int32Array;
    readonly names: readonly string[];
    readonly notes: readonly string[];
  } {
    const distinct = [...this.found.keys()];
    if (distinct.length === this.rows.length) {
      throw new DataError(
        `${where} has ${distinct.length} different labels in ${this.rows.length} rows, expected classes that several rows share.`,
      );
    }
    const values = new Map(distinct.map((name) => [name, parseNumber(name)]));
    const isNumeric = [...values.values()].every((value) => value !== undefined);
    const byText = (a: string, b: string): number => (a < b ? -1 : 1);
    const names = distinct.sort((a, b) =>
      isNumeric ? values.get(a)! - values.get(b)! || byText(a, b) : byText(a, b),
    );
    const classOf = new Int32Array(names.length);
    names.forEach((name, label) => (classOf[this.found.get(name)!] = label));
    const missing = names.find((name) => kindOfCell(name, plainNumbers) === 'missing');
    const twice = names.find((name, i) => i > 0 && isSameNumber(values.get(name), values.get(names[i - 1]!)));
    const other = twice === undefined ? undefined : names[names.indexOf(twice) - 1];
    return {
      labels: Int32Array.from(this.rows, (place) => classOf[place]!),
      names,
      notes: [
        ...(other === undefined ? [] : [`labels "${other}" and "${twice}" are one number and two classes`]),
        ...(missing === undefined
          ? []
          : [`"${missing}" is a class: if it stands for none, leave such rows out with --skip-missing`]),
      ],
    };
  }
}

function isSameNumber(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && a === b;
}
