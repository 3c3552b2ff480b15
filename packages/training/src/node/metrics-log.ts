/**
 * metrics.jsonl: one JSON object a line, each with the step it was seen at. A line reaches the operating system before
 * training goes on, and the disk before a checkpoint is written; so a run that goes on from a checkpoint cuts away what
 * came after it, and nothing is lost or written twice.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { DataError } from '@meanflow/core';
import { isObject } from '@meanflow/formats/build';
import { errorCode, explainFileErrors, readRegularFile } from '@meanflow/formats/node';
import type { MetricsRecord } from '../train-options.js';
import { writeAll } from './atomic-file.js';

interface Line {
  /** Undefined when the line is not a whole record. */
  readonly record: MetricsRecord | undefined;
  /** One past its last byte. */
  readonly end: number;
}

export class MetricsLog {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * Opens a log, or makes one, to go on after a step. Lines of later steps, and a line that was cut short, go.
   *
   * @throws {DataError} when it cannot be opened, or a line that should stay is damaged
   */
  static async open(path: string, step: number): Promise<MetricsLog> {
    const lines = await readLines(path);
    const kept = lines.findLastIndex(({ record }) => record !== undefined && record.step <= step) + 1;
    const damaged = lines
      .slice(0, kept)
      .findIndex(({ record }) => record === undefined || record.step > step);
    if (damaged >= 0) {
      throw new DataError(
        `"${path}": line ${damaged + 1} is damaged or out of order, but lines after it belong to the steps up to ` +
          `${step}. Mend the line, or move the file away to begin a new one.`,
      );
    }
    return explainFileErrors(`"${path}" cannot be written`, async () => {
      const file = await open(path, 'a+');
      try {
        const length = lines[kept - 1]?.end ?? 0;
        await file.truncate(length);
        const last = Buffer.alloc(1);
        if (length > 0) await file.read(last, 0, 1, length - 1);
        if (length > 0 && last.toString() !== '\n') await writeAll(file, '\n');
        return new MetricsLog(path, file);
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  /** Adds a line. */
  async append(record: MetricsRecord): Promise<void> {
    await this.guarded(() => writeAll(this.file, `${JSON.stringify(record)}\n`));
  }

  /** Waits until all lines are on the disk. */
  async flush(): Promise<void> {
    await this.guarded(() => this.file.sync());
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private guarded<T>(work: () => Promise<T>): Promise<T> {
    return explainFileErrors(`"${this.path}" cannot be written`, work);
  }
}

/**
 * The records of a log; none when there is no file. A last line that was cut short is left out.
 *
 * @throws {DataError} when another line is damaged
 */
export async function readMetrics(path: string): Promise<MetricsRecord[]> {
  const lines = await readLines(path);
  return lines.flatMap(({ record }, i) => {
    if (record === undefined && i < lines.length - 1) {
      throw new DataError(`"${path}": line ${i + 1} is not a JSON object with a step.`);
    }
    return record ?? [];
  });
}

async function readLines(path: string): Promise<Line[]> {
  let bytes: Buffer;
  try {
    bytes = await readRegularFile(path);
  } catch (error) {
    if (error instanceof DataError && errorCode(error.cause) === 'ENOENT') return [];
    throw error;
  }
  const lines: Line[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    lines.push({ record: parseRecord(bytes.toString('utf8', start, end)), end });
    start = end;
  }
  return lines;
}

function parseRecord(text: string): MetricsRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && Number.isSafeInteger(value.step) ? (value as MetricsRecord) : undefined;
  } catch {
    return undefined;
  }
}
