/** Tables as people have them, through the command: what is understood of each, and samples that are written as they are. */
import { validate } from '@meanflow/core/validation';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decodeNpy, decodeNpz } from '@meanflow/formats';
import { openDataOf, runConfigSchema } from '@meanflow/runs/command';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';

const folder = temporaryFolder();
const table = (name: string): string => fileURLToPath(new URL(`data/tables/${name}.csv`, import.meta.url));
const tiny = ['--steps', '2', '--batch', '8'];

describe('what is understood', () => {
  it.each([
    ['pandas_numeric_header', [], ['60 rows', '2 columns (0, 1)', 'names of columns in row 1']],
    ['pandas_numeric_header_label', ['--label', '2'], ['60 rows', '2 columns (0, 1)', '2 classes (0 28, 1 32)']],
    ['z_savetxt', [], ['60 rows', '2 columns (column 1, column 2)', 'no header', 'separated by space']],
    ['z_savetxt_hdr', [], ['60 rows', '2 columns (x, y)', 'in the comment in row 1']],
    ['pandas_index', [], ['60 rows', '2 columns (x, y)', 'column 1 left out: it has no name']],
    ['pandas_index_label', ['--label', 'class'], ['2 columns (x, y)', '2 classes (0 28, 1 32)', 'column 1 left out']],
    ['zeros', ['--label', 'code'], ['3 classes (01 20, 02 20, 10 20)']],
    ['zerosmix', ['--label', 'code'], ['3 classes (01 20, 1 20, 10 20)', '"01" and "1" are one number and two classes']],
    ['z_semi_dec_nohdr', [], ['60 rows', '2 columns', 'separated by semicolon; decimal comma']],
    ['semi_decimal', ['--label', 'class'], ['2 columns (x, y)', '2 classes', 'separated by semicolon; decimal comma']],
    ['comment', ['--label', 'class'], ['60 rows', '2 columns (x, y)', '1 line passed over as comment (#)']],
    ['sep_line', ['--label', 'class'], ['60 rows', '2 columns (x, y)', 'names of columns in row 2']],
    ['trailing', ['--label', 'class'], ['60 rows', '2 columns (x, y)', '2 classes']],
    ['dup', ['--label', 'class'], ['60 rows', '2 columns (x, x)', 'several columns are called "x"']],
    ['dates', ['--drop', 'date'], ['60 rows', '2 columns (x, y)', 'left out: date']],
    ['pixels', ['--label', 'label'], ['9 columns', '3 classes', '3 constant columns kept aside (p0, p1, p2)']],
  ])('of %s %j', async (name, args, expected) => {
    const { out } = await succeed('info', '--data', table(name), ...args);
    expect(out.split('\n')).toHaveLength(2);
    for (const text of expected) expect(out).toContain(text);
    expect(out).toContain('mean 0.00, deviation 1.00 after normalising');
  }); // prettier-ignore

  it.each([
    [
      'z_nan_first',
      [],
      'row 1, column 1 ("column 1"): found "nan", expected a finite number. It has no value',
    ],
    [
      'dates',
      [],
      'row 2, column 1 ("date"): found "2024-01-01", expected a finite number. It looks like a date',
    ],
    ['pandas_index', ['--columns', 'x', '--drop', 'x'], 'the column "x" is asked for, and to be left out'],
    ['semi_decimal', ['--delimiter', 'semicola'], 'A delimiter is one character, or one of comma, semicolon'],
    ['comment', ['--decimal', ';'], "argument ';' is invalid"],
  ])('or is an error: %s %j', async (name, args, message) => {
    const { status, out, err } = await meanflow('train', '--data', table(name), ...args, ...tiny);
    expect(status).not.toBe(0);
    expect(out).toBe('');
    expect(err).toContain(message);
  });

  it('is said before training, and read so again when the run goes on and is judged', async () => {
    const run = folder.path('decimals');
    const data = table('semi_decimal');
    const { err } = await succeed('train', '--data', data, '--label', 'class', ...tiny, '--out', run);
    expect(err).toMatch(
      /^semi_decimal\.csv: 60 rows \(48 to learn from, 12 held out\) of 2 columns \(x, y\);/,
    );
    const config = JSON.parse(await readFile(folder.path('decimals', 'config.json'), 'utf8'));
    expect(config.reading).toEqual({
      delimiter: ';',
      decimal: ',',
      thousands: 'none',
      comment: 'none',
      header: true,
      drop: [],
      encoding: 'utf-8',
    });
    await succeed('train', '--resume', run, '--steps', '4');
    await succeed('evaluate', run, '--nfe', '1');
    expect((await succeed('info', run)).out).toContain('decimal comma');
  });

  it('follows a configuration file, and the command line before it', async () => {
    const config = folder.path('table.json');
    await writeFile(config, JSON.stringify({ table: { drop: ['x'], header: true }, steps: 2, batch: 8 }));
    const args = ['train', '--data', table('comment'), '--config', config, '--out', folder.path('dropped')];
    expect((await succeed(...args)).err).toContain('of 2 columns (y, class)');
    const other = await succeed(...args.slice(0, -1), folder.path('other'), '--drop', '3,y');
    expect(other.err).toContain('of 1 column (x)');
    const { status, err } = await meanflow('train', '--data', 'digits', '--config', config);
    expect({ status, err }).toEqual({
      status: 2,
      err: expect.stringContaining('table.header says how a CSV file'),
    });
  });
});

it('a run of an earlier version, which learnt every column, goes on with every column', async () => {
  const run = folder.path('former');
  await succeed('train', '--data', table('pandas_index'), '--columns', '1,x,y', ...tiny, '--out', run);
  const path = folder.path('former', 'config.json');
  const { reading, table: asked, ...config } = JSON.parse(await readFile(path, 'utf8'));
  expect([reading.columns, asked.columns]).toEqual([
    ['1', 'x', 'y'],
    ['1', 'x', 'y'],
  ]);
  expect((await openDataOf(validate(runConfigSchema(), config, path))).columns).toEqual([
    'column 1',
    'x',
    'y',
  ]);
});

describe('samples', () => {
  const sample = async (run: string, ...args: string[]): Promise<string[][]> => {
    const { out } = await succeed('sample', folder.path(run), '--out', '-', ...args);
    return out.trim().split('\n').map((row) => row.split(',')); // prettier-ignore
  };

  it('are as precise as float64: times in seconds keep their spread', async () => {
    await succeed('train', '--data', table('big2'), '--steps', '300', '--out', folder.path('times'));
    const [head, ...rows] = await sample('times', '--count', '1000');
    expect(head).toEqual(['t', 'x']);
    const times = rows.map(([t]) => Number(t));
    expect(rows.every(([t]) => /^1\d{9}$/.test(t))).toBe(true);
    const mean = times.reduce((sum, t) => sum + t, 0) / times.length;
    const deviation = Math.sqrt(times.reduce((sum, t) => sum + (t - mean) ** 2, 0) / times.length);
    // Of 1700000000 … 59 it is 17.3.
    expect(deviation).toBeGreaterThan(12);
    expect(deviation).toBeLessThan(22);
    expect(Math.abs(mean - 1700000029.5)).toBeLessThan(5);
    // What is written is read again as it was, digit by digit.
    expect(rows.every(([, x]) => String(Number(x)) === x && x.length > 9)).toBe(true);
  });

  it("have the file's columns in its order: constant ones, whole numbers, the label under its name", async () => {
    await succeed(
      'train',
      '--data',
      table('pixels'),
      '--label',
      'label',
      ...tiny,
      '--out',
      folder.path('pixels'),
    );
    const [head, ...rows] = await sample('pixels', '--count', '6');
    expect(head.join()).toBe('label,p0,p1,p2,p3,p4,p5,p6,p7,p8,p9,p10,p11');
    expect(rows.map((row) => row.slice(0, 4).join())).toEqual(['0', '1', '2', '0', '1', '2'].map((label) => `${label},0,0,0`)); // prettier-ignore
    for (const row of rows) for (const cell of row.slice(4)) expect(cell).toMatch(/^-?\d+$/);
    await succeed('sample', folder.path('pixels'), '--count', '6', '--out', folder.path('pixels.json'));
    const json = JSON.parse(await readFile(folder.path('pixels.json'), 'utf8'));
    expect(json.columns).toEqual(head.slice(1));
    expect(json.samples).toEqual(rows.map((row) => row.slice(1).map(Number)));
    expect(json.classes).toEqual(rows.map(([label]) => label));
  });

  it('are arrays of NumPy too', async () => {
    const path = folder.path('pixels.npz');
    await succeed('sample', folder.path('pixels'), '--count', '6', '--out', path);
    const { arr_0: made, labels } = await decodeNpz(await readFile(path), path, {
      names: ['arr_0', 'labels'],
    });
    const rows = (await sample('pixels', '--count', '6')).slice(1);
    expect([made.dtype, ...made.shape]).toEqual(['float64', 6, 12]);
    expect([...made.data]).toEqual(rows.flatMap((row) => row.slice(1).map(Number)));
    expect([...labels.data]).toEqual([0, 1, 2, 0, 1, 2]);
    await succeed('sample', folder.path('times'), '--count', '6', '--out', folder.path('times.npy'));
    const times = await decodeNpy(await readFile(folder.path('times.npy')), 'times.npy');
    expect([...times.data].map(String)).toEqual((await sample('times', '--count', '6')).slice(1).flat());
  });

  it('are left normalised by an exported sampler where float32 is too coarse for them', async () => {
    const out = folder.path('times.onnx');
    const { status, err } = await meanflow('export', folder.path('times'), '--out', out);
    expect(status).toBe(2);
    expect(err).toMatch(
      /float32, which is too coarse for "t": values near 1\.700e\+9 that spread by 1\d\.\d+\. With --normalised/,
    );
    await succeed('export', folder.path('times'), '--normalised', '--out', out);
    expect((await readFile(out)).includes('{"kind":"standard","mean":[17000000')).toBe(true);
  });

  it('are separated by what is asked for', async () => {
    const [head, row] = await sample('pixels', '--count', '1', '--delimiter', 'semicolon');
    expect(head).toEqual(['label;p0;p1;p2;p3;p4;p5;p6;p7;p8;p9;p10;p11']);
    expect(row[0].split(';')).toHaveLength(13);
  });
});

it('info of a run prints nothing of its names that a terminal obeys', async () => {
  const data = folder.path('mo\u001b[31mons.csv');
  await writeFile(data, 'x,y\n'.concat(...Array.from({ length: 20 }, (_, i) => `${i},${i * i}\n`)));
  const out = folder.path('obeyed');
  await succeed('train', '--data', data, ...tiny, '--out', out);
  const { out: text } = await succeed('info', out);
  expect(text).toContain('mo\\x1b[31mons');
  expect(text).not.toContain('\u001b');
});
