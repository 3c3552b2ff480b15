import { DataError } from '@meanflow/core';
import { parseTable } from '../src/index.js';

const file = 'points.csv';

describe('parseTable', () => {
  it('reads numbers with a header, quotes, spaces, blank lines, CRLF and a byte order mark', () => {
    const table = parseTable('\ufeff"x, metres",y\r\n1 ,"2.5"\r\n\r\n-3e-1,+.5\r\n', { file });
    expect(table.columns).toEqual(['x, metres', 'y']);
    expect(table.rowCount).toBe(2);
    expect([...table.values]).toEqual([1, 2.5, -0.3, 0.5]);
    expect(table.labels).toBeUndefined();
  });

  it('finds the delimiter', () => {
    expect([...parseTable('a;b\n1;2\n3;4', { file }).values]).toEqual([1, 2, 3, 4]);
    expect([...parseTable('1\t2\n3\t4', { file }).values]).toEqual([1, 2, 3, 4]);
    expect([...parseTable('height\n1\n2', { file }).values]).toEqual([1, 2]);
  });

  it('takes a label column by name, wherever it stands, with classes in a fixed order', () => {
    const text = 'x,class,y\n1,setosa,2\n3,virginica,4\n5,setosa,6\n7,Iris,8';
    const table = parseTable(text, { file, label: 'class' });
    expect(table.columns).toEqual(['x', 'y']);
    expect([...table.values]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(table.classNames).toEqual(['Iris', 'setosa', 'virginica']);
    expect([...table.labels!]).toEqual([1, 2, 1, 0]);
  });

  it('takes a label column by number counted from 1, and orders numeric classes by size', () => {
    const table = parseTable('1,10\n2,9\n3,9\n4,10', { file, label: 2 });
    expect(table.columns).toEqual(['column 1']);
    expect(table.classNames).toEqual(['9', '10']);
    expect([...table.labels!]).toEqual([1, 0, 0, 1]);
    expect(parseTable('1,10\n2,9\n3,9', { file, label: '2' }).classNames).toEqual(['9', '10']);
  });

  it('prefers a header called by a number over the number of a column', () => {
    expect(parseTable('2,x\n0,5\n0,6', { file, label: '2', header: true }).columns).toEqual(['x']);
  });

  it('tells a header from a first row with a word for its label', () => {
    const table = parseTable('1,setosa\n2,setosa\n3,virginica', { file, label: 2 });
    expect(table.rowCount).toBe(3);
    expect(parseTable('x,species\n2,setosa\n3,setosa', { file, label: 2 }).rowCount).toBe(2);
    expect(() => parseTable('x,setosa\n2,setosa\n3,setosa', { file, label: 2 })).toThrow(
      'row 1, x, setosa, may be a header or data: say which with --header or --no-header',
    );
    expect(parseTable('1,2\n3,4', { file, header: true }).columns).toEqual(['1', '2']);
  });

  it.each([
    ['', {}, 'points.csv: found nothing, expected rows of numbers'],
    ['\n  \n', {}, 'found nothing'],
    ['a,b\n', {}, 'found a header and nothing below it'],
    ['a,b\n1,2\n3\n', {}, 'row 3 has 1 column, expected 2 as in row 1'],
    ['1,2\n\n3,4,5\n', {}, 'row 3 has 3 columns, expected 2 as in row 1'],
    ['x,y\n1,2\n3,four', {}, 'row 3, column 2 ("y"): found "four", expected a finite number. If this column'],
    ['x,y\n1,2\n,4', {}, 'row 3, column 1 ("x"): found an empty cell, expected a finite number.'],
    ['1,2\n3,NaN', {}, 'row 2, column 2 ("column 2"): found "NaN"'],
    ['1,2\n3,1e999', {}, 'found "1e999"'],
    ['1,2\n3,0x10', {}, 'found "0x10"'],
    ['x,"y\n1,2', {}, 'row 1: found a quoted cell that is malformed or not closed'],
    [
      'x,class\n1,a\n2,a',
      { label: 'clas' },
      'no label column "clas", found "x", "class". Did you mean "class"?',
    ],
    [
      '1,2\n3,4',
      { label: 'class' },
      'no header to find the label column "class" in, expected its number, 1 to 2',
    ],
    ['1,2\n3,4', { label: 3 }, 'no label column 3, expected a number from 1 to 2'],
    ['1,2\n3,4', { label: 0 }, 'no label column 0'],
    ['x,class\n1,a\n2,', { label: 'class' }, 'row 3, column 2 ("class"): found no label, expected a class'],
    [
      'x,class\n1,a\n2,b',
      { label: 'class' },
      '2 different labels in 2 rows, expected classes that several rows share',
    ],
    ['class\na\na', { label: 'class' }, 'found the label column only'],
  ])('refuses %j: %j', (text, options, message) => {
    const parse = () => parseTable(text, { file, ...options });
    expect(parse).toThrow(DataError);
    expect(parse).toThrow(message);
  });
});
