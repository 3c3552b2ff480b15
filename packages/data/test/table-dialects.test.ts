/** Tables in the dialects of people and programs: each is read as it was meant, or is an error that names the option. */
import { MeanflowError } from '@meanflow/core';
import fc from 'fast-check';
import { csvDataset, parseTable, type TableOptions } from '../src/index.js';

const file = 'points.csv';
type Options = Omit<TableOptions, 'file'>;

/** Ten rows: a header where there is one, then what a row is made of by its number. */
function text(header: string | undefined, rowOf: (i: number) => string, rows = 10, end = '\n'): string {
  return [...(header === undefined ? [] : [header]), ...Array.from({ length: rows }, (_, i) => rowOf(i))].join(end); // prettier-ignore
}

/** A number of four decimals that depends on a row and a column. */
const value = (i: number, column = 0): number =>
  Number((((i * 37 + column * 11) % 83) / 7 - 5.01).toFixed(4));
const point = (i: number, column = 0): string => value(i, column).toFixed(4);
const comma = (i: number, column = 0): string => point(i, column).replace('.', ',');

describe('a header', () => {
  it.each<[string, string | undefined, (i: number) => string, readonly string[]]>([
    ['words', 'x,y', (i) => `${point(i)},${point(i, 1)}`, ['x', 'y']],
    ['none', undefined, (i) => `${point(i)},${point(i, 1)}`, ['column 1', 'column 2']],
    ["pandas' 0, 1", '0,1', (i) => `${point(i)},${point(i, 1)}`, ['0', '1']],
    ["pandas' with whole numbers below some", '0,1,2', (i) => `${point(i)},${i},${i % 2}`, ['0', '1', '2']],
    ['one column called 0', '0', (i) => point(i), ['0']],
    ['1, 2, …', '1,2', (i) => `${point(i)},${point(i, 1)}`, ['1', '2']],
    ['many whole numbers above whole numbers', '0,1,2,3,4', (i) => `${i},${i * i},1,${i % 3},${9 - i}`, ['0', '1', '2', '3', '4']],
    ['a name and numbers', 'id,0,1', (i) => `${i * i},${point(i)},${point(i, 1)}`, ['id', '0', '1']],
    ['years', 'rate,2019,2020', (i) => `${i * i},${point(i)},${point(i, 1)}`, ['rate', '2019', '2020']],
    ['whole numbers that are data', undefined, (i) => `${(i + 3) % 5},${(i * 3) % 7}`, ['column 1', 'column 2']],
    ['data that starts at 0', undefined, (i) => String(i), ['column 1']],
    ['data that numpy prints short', undefined, (i) => `${i / 2}`, ['column 1']],
  ])('%s', (_, header, rowOf, columns) => {
    const table = parseTable(text(header, rowOf), { file });
    expect(table.columns).toEqual(columns);
    expect(table.rowCount).toBe(10);
  }); // prettier-ignore

  it.each<[string, string, (i: number) => string]>([
    ['0, 1 above whole numbers', '0,1', (i) => `${i % 3},${i % 4}`],
    ['years above measurements', '2019,2020', (i) => `${point(i)},${point(i, 1)}`],
    ['a word beside a number that counts nothing', 'abc,15', (i) => `${i},${i * i}`],
  ])('that may be data is asked for: %s', (_, header, rowOf) => {
    const csv = text(header, rowOf);
    expect(() => parseTable(csv, { file })).toThrow('may be a header or data: say which with --header or --no-header');
    expect(parseTable(csv, { file, header: true }).rowCount).toBe(10);
    if (!/[a-z]/.test(header)) expect(parseTable(csv, { file, header: false }).rowCount).toBe(11);
  }); // prettier-ignore

  it.each(['nan,1.5', '2.5x,1.5', ',3.5', 'inf,2', 'NA,nan'])('is no row with a fault in it: %s', (first) => {
    const csv = text(first, (i) => `${point(i)},${point(i, 1)}`);
    expect(() => parseTable(csv, { file })).toThrow(/row 1, column \d \("column \d"\): found/);
  });

  it('is no row with the name of a class in it, however rare', () => {
    const csv = text('virginica,1.5', (i) => `${i % 2 ? 'setosa' : 'versicolor'},${point(i)}`);
    expect(parseTable(csv, { file, label: 1 }).classNames).toEqual(['setosa', 'versicolor', 'virginica']);
  });
});

describe('the index of a table that a program wrote', () => {
  it.each<[string, string, (i: number) => string]>([
    ['pandas', ',x,y', (i) => `${i},${point(i)},${point(i, 1)}`],
    ['pandas, read and written again', 'Unnamed: 0,x,y', (i) => `${i},${point(i)},${point(i, 1)}`],
    ['pandas, shuffled', ',x,y', (i) => `${(i * 7) % 10},${point(i)},${point(i, 1)}`],
    ['R, write.csv', '"","x","y"', (i) => `"${i + 1}",${point(i)},${point(i, 1)}`],
    ['R, write.csv2', '"";"x";"y"', (i) => `"${i + 1}";${comma(i)};${comma(i, 1)}`],
    ['R, write.table', '"x" "y"', (i) => `"${i + 1}" ${point(i)} ${point(i, 1)}`],
    ['R, names of rows', '"x" "y"', (i) => `"Mazda RX${i}" ${point(i)} ${point(i, 1)}`],
  ])('is left out: %s', (_, header, rowOf) => {
    const { columns, values, notes } = parseTable(text(header, rowOf), { file });
    expect(columns).toEqual(['x', 'y']);
    expect([...values.slice(0, 4)]).toEqual([value(0), value(0, 1), value(1), value(1, 1)]);
    expect(notes).toContainEqual(expect.stringContaining('column 1 left out: it has no name'));
  });

  it('is learnt where it is asked for', () => {
    const csv = text(',x,y', (i) => `${i},${point(i)},${point(i, 1)}`);
    expect(parseTable(csv, { file, columns: [1, 'x'] }).columns).toEqual(['column 1', 'x']);
  });

  it('with a name is learnt, and said where it only counts the rows', () => {
    const { columns, notes } = parseTable(
      text('id,x', (i) => `${i},${point(i)}`),
      { file },
    );
    expect(columns).toEqual(['id', 'x']);
    expect(notes).toContainEqual(expect.stringContaining('"id" counts the rows'));
  });
});

describe('numbers', () => {
  const first = (csv: string, options: Options = {}): number =>
    parseTable(csv, { file, ...options }).values[0];

  it.each<[string, string, number]>([
    ['decimal commas between semicolons', '2,345;1,464\n3,1;4', 2.345],
    ['decimal commas between tabs', '2,3456\t1,4\n3,1\t4,5', 2.3456],
    ['decimal commas between spaces', '2,34 1,46\n3,1 4,5', 2.34],
    ['a column of decimal commas under a name', 'x\n2,5\n3,7\n1,25', 2.5],
    ['thousands with commas', '"1,234.5",1\n"2,000",3', 1234.5],
    ['millions with commas', '"1,234,567"\t1\n"2,000"\t3', 1234567],
    ['thousands with points', '1.234,5;1\n2.000,25;3', 1234.5],
    ['thousands with apostrophes', "1'234.5;1\n2'000.25;3", 1234.5],
    ['thousands with spaces', '1 234,5;1\n2 000,25;3', 1234.5],
    ['thousands with no-break spaces', '1\u202f234,5;1\n2\u202f000,25;3', 1234.5],
    ['a minus sign that is none of ASCII', '−1.5,2\n3,4', -1.5],
    ['powers of ten', '1.5e-3,2\n3E+2,4', 0.0015],
    ['quotes after a space', '1, "2.5"\n3, "4"', 1],
    ['percentages', '12.5%,2\n3 %,4', 12.5],
    ['yes and no', 'yes,2\nno,4', 1],
  ])('%s', (_, csv, expected) => expect(first(csv)).toBe(expected));

  it('that may be a thousand or one and a quarter are asked for', () => {
    const csv = '1,234\t5,678\n2,345\t6,789';
    expect(() => first(csv)).toThrow('numbers such as 1,234, which may be 1234 or 1.234: say which');
    expect(first(csv, { decimal: ',' })).toBe(1.234);
    expect(first(csv, { decimal: '.' })).toBe(1234);
    expect(first(csv, { thousands: ',' })).toBe(1234);
  });

  it.each([
    ['12%,1\n0.12,2', 'found "0.12", expected a percentage as in the rows above'],
    ['0.12,1\n12%,2', 'found "12%", expected a number as in the rows above'],
    ['True,1\n0,2', 'found "0", expected a word for true or false as in the rows above'],
    ['1.5\t2,5\n1.5\t2', 'found "1.5", expected a finite number. Numbers are read with a decimal comma'],
    ['1,2\n2024-01-01,3', 'found "2024-01-01", expected a finite number. It looks like a date'],
    ['1,2\n12:30,3', 'found "12:30", expected a finite number. It looks like a date'],
    ['1,2\n-Inf,3', 'found "-Inf", expected a finite number. Nothing can be learnt of infinity'],
    ['x:y\n1:2\n3:4', 'What separates columns is chosen with --delimiter'],
    ['My title\nx,y,z\n1,2,3\n4,5,6', 'row 1 has 1 column, the 3 rows that follow have 3: take a title out'],
  ])('%j: %s', (csv, message) => expect(() => first(csv)).toThrow(message));
});

describe('what stands around the data', () => {
  it.each<[string, string]>([
    ["Excel's separator", 'sep=;\nx;y\n1,5;2\n3;4'],
    ["Excel's separator, which is a tab", 'sep=\t\nx\ty\n1,5\t2\n3\t4'],
    ["numpy's header", '# x,y\n1.5,2\n3,4'],
    ["numpy's header between spaces", '# x y\n1.5 2\n3 4'],
    ['comments before and between', '# made by us\nx,y\n1.5,2\n# a break\n3,4'],
    ['comments of other programs', '% made by us\nx,y\n1.5,2\n3,4'],
    ['a delimiter at the end of lines', 'x,y,\n1.5,2,\n3,4,'],
    ['a delimiter at the end of lines but the first', 'x,y\n1.5,2,\n3,4,'],
    ['a delimiter at the end of the first line', 'x,y,\n1.5,2\n3,4'],
    ['empty rows at the end', 'x,y\n1.5,2\n3,4\n,\n,\n'],
    ['spaces at both ends', '  x   y \n 1.5   2\n   3  4  \n'],
    ['all kinds of line ends', 'x,y\r\n1.5,2\r3,4\n'],
  ])('%s', (_, csv) => {
    const { columns, values } = parseTable(csv, { file });
    expect(columns).toEqual(['x', 'y']);
    expect([...values]).toEqual([1.5, 2, 3, 4]);
  });

  it('rows with missing values are left out where that is asked for', () => {
    const csv = 'x,c\n1,a\nNA,a\n3,b\n?,b\n5,a\n6,\n7,nan\n8,b';
    const { values, classNames, notes } = parseTable(csv, { file, label: 'c', skipMissing: true });
    expect([...values]).toEqual([1, 3, 5, 8]);
    expect(classNames).toEqual(['a', 'b']);
    expect(notes).toContain('4 rows with missing values left out');
    expect(() => parseTable(csv, { file, label: 'c' })).toThrow(
      'row 3, column 1 ("x"): found "NA", expected a finite number. It has no value: leave such rows out with --skip-missing',
    );
  });

  it('encodings are told by their bytes, or by who knows them', () => {
    const csv = 'x;größe\n1,5;2\n3;4\n5;7,5\n';
    const utf16 = new Uint8Array(new Uint16Array([0xfeff, ...[...csv].map((c) => c.charCodeAt(0))]).buffer);
    const latin = Uint8Array.from(csv, (c) => c.charCodeAt(0));
    for (const bytes of [utf16, utf16.slice(2), utf16.slice().map((_, i, all) => all[i ^ 1]), latin]) {
      expect(csvDataset(bytes, { file }).columns).toEqual(['x', 'größe']);
    }
    expect(csvDataset(latin, { file, encoding: 'iso-8859-2' }).columns).toEqual(['x', 'größe']);
    expect(() => csvDataset(latin, { file, encoding: 'utf-8' })).toThrow(
      'Another encoding is chosen with --encoding',
    );
    expect(() => csvDataset(latin, { file, encoding: 'latin-9000' })).toThrow(
      'There is no encoding "latin-9000"',
    );
    expect(() => csvDataset(Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), { file })).toThrow('an Excel workbook'); // prettier-ignore
  });

  it.each([
    ['version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1234\n', 'a Git LFS pointer'],
    ['\ufeff<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>', 'a web page'],
  ])('calls what stands in for a table by its name: %j', (text, name) => {
    expect(() => csvDataset(new TextEncoder().encode(text), { file })).toThrow(`${file}: it is ${name}`);
  });
});

describe('labels', () => {
  const names = (labels: readonly string[]): readonly string[] | undefined =>
    parseTable(
      text('x,c', (i) => `${point(i)},${labels[i % labels.length]}`, 24),
      { file, label: 'c' },
    ).classNames;

  it('are what is written', () => {
    expect(names(['1', '01', '10'])).toEqual(['01', '1', '10']);
    expect(names(['2', '10', '1'])).toEqual(['1', '2', '10']);
    expect(names(['2.0', '10.0', '1.0'])).toEqual(['1.0', '2.0', '10.0']);
    expect(names(['1', '1.0'])).toEqual(['1', '1.0']);
    expect(names(['b', 'a', 'B'])).toEqual(['B', 'a', 'b']);
    expect(names(['True', 'False'])).toEqual(['False', 'True']);
  });

  it('that are one number twice, or may be none, are said', () => {
    const notes = (label: string): readonly string[] =>
      parseTable(
        text('x,c', (i) => `${point(i)},${i % 2 ? label : '1'}`),
        { file, label: 'c' },
      ).notes!;
    expect(notes('1.0')).toContain('labels "1" and "1.0" are one number and two classes');
    expect(notes('NA')).toContainEqual(expect.stringContaining('"NA" is a class: if it stands for none'));
  });
});

describe('any table', () => {
  const cell = fc.integer({ min: -99_999_999, max: 99_999_999 }).map((n) => n / 10_000);

  it('is read as it was written, in whatever dialect', () => {
    const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
      fc.record({
        rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 3, maxLength: 12 }),
        delimiter: fc.constantFrom(',', ';', '\t', '|', ' '),
        decimal: fc.constantFrom('.' as const, ',' as const),
        end: fc.constantFrom('\n', '\r\n', '\r'),
        isNamed: fc.boolean(),
        isIndexed: fc.boolean(),
        isQuoted: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(table, ({ rows, delimiter, end, isNamed, isIndexed, isQuoted, ...rest }) => {
        const width = rows[0].length;
        // What the sign separates, it cannot be in a number; a lone column of decimal commas is two of whole numbers.
        const decimal = delimiter === ',' || (width === 1 && !isNamed) ? '.' : rest.decimal;
        const quote = (written: string): string => (isQuoted ? `"${written}"` : written);
        const line = (cells: readonly string[]): string => cells.join(delimiter);
        const lines = rows.map((row, i) =>
          line([...(isNamed && isIndexed ? [quote(String(i))] : []), ...row.map((n) => n.toFixed(4).replace('.', decimal))]),
        );
        const header = line([...(isIndexed ? [quote('')] : []), ...rows[0].map((_, i) => quote(`name_${i}`))]);
        // Blanks are no names between spaces: R leaves the index's out.
        const head = delimiter === ' ' ? header.trimStart().replace(/^"" /, '') : header;
        const csv = [...(isNamed ? [head] : []), ...lines].join(end);
        const found = parseTable(csv, { file });
        expect([...found.values]).toEqual(rows.flat());
        expect(found.columns).toEqual(rows[0].map((_, i) => (isNamed ? `name_${i}` : `column ${i + 1}`)));
        // As it was read once, it is read again.
        expect(parseTable(csv, { file, ...found.reading })).toMatchObject({ values: found.values });
      }),
      { numRuns: 400, seed: 8 },
    );
  }); // prettier-ignore

  it('of any characters is read or refused with an error of ours', () => {
    const character = fc.constantFrom(...'0123456789.,;|\t \n\r"\'#%-+exNA=\u00a0é\0');
    const anyText = fc.array(character, { maxLength: 120 }).map((all) => all.join(''));
    fc.assert(
      fc.property(anyText, fc.option(fc.constantFrom(1, 2, 'x'), { nil: undefined }), (csv, label) => {
        try {
          const { values, rowCount, columns } = parseTable(csv, { file, label });
          expect(values).toHaveLength(rowCount * columns.length);
          expect(values.every(Number.isFinite)).toBe(true);
        } catch (error) {
          if (!(error instanceof MeanflowError)) throw error;
        }
      }),
      { numRuns: 3000, seed: 8 },
    );
  });
});
