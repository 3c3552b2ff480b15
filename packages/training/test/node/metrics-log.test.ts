import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { MetricsLog, readMetrics } from '../../src/node/metrics-log.js';
import { withFolder } from '../support/child.js';

const line = (step: number): string => `{"step":${step},"loss":${step / 2}}\n`;

/** What a log holds after it was opened to go on after a step, and one line was added. */
const reopened = (before: string | undefined, step: number, added: number): Promise<string> =>
  withFolder(async (folder) => {
    const path = join(folder, 'metrics.jsonl');
    if (before !== undefined) await writeFile(path, before);
    const log = await MetricsLog.open(path, step);
    await log.append({ step: added, loss: added / 2 });
    await log.flush();
    await log.close();
    return readFile(path, 'utf8');
  });

describe('MetricsLog', () => {
  it.each<[string, string | undefined, number]>([
    ['no file', undefined, 0],
    ['an empty file', '', 0],
    ['lines of a run that never saved', line(1) + line(2), 0],
    ['a torn first line', '{"ste', 0],
  ])('begins anew: %s', async (_, before, step) => {
    expect(await reopened(before, step, 1)).toBe(line(1));
  });

  it.each<[string, string]>([
    ['whole', ''],
    ['later lines', line(11) + line(12)],
    ['a torn line', '{"step":11,"lo'],
    ['later lines, the last torn', line(11) + line(12).slice(0, -1)],
    ['a tail of zeros, as a power failure leaves', '\0'.repeat(40)],
  ])('goes on after step 10: %s', async (_, tail) => {
    const kept = line(1) + line(5) + line(10);
    expect(await reopened(kept + tail, 10, 11)).toBe(kept + line(11));
  });

  it('mends a missing line end', async () => {
    expect(await reopened(line(1) + line(2).trimEnd(), 2, 3)).toBe(line(1) + line(2) + line(3));
  });

  it('refuses to lose lines that come after a damaged one', async () => {
    const opened = reopened(`${line(1)}garbage\n${line(3)}`, 3, 4);
    await expect(opened).rejects.toThrow(DataError);
    await expect(opened).rejects.toThrow(
      'line 2 is damaged or out of order, but lines after it belong to the steps up to 3',
    );
    await expect(reopened(line(9) + line(3), 3, 4)).rejects.toThrow('line 1 is damaged or out of order');
  });
});

describe('readMetrics', () => {
  const read = (content: string) =>
    withFolder(async (folder) => {
      await writeFile(join(folder, 'm'), content);
      return readMetrics(join(folder, 'm'));
    });

  it('reads what is whole', async () => {
    expect(await read(`${line(1)}${line(2)}{"st`)).toEqual([
      { step: 1, loss: 0.5 },
      { step: 2, loss: 1 },
    ]);
    expect(await withFolder((folder) => readMetrics(join(folder, 'none')))).toEqual([]);
  });

  it('refuses damage in the middle', async () => {
    await expect(read(`${line(1)}{"loss":3}\n${line(2)}`)).rejects.toThrow(
      'line 2 is not a JSON object with a step',
    );
  });
});
