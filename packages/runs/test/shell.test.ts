/** Printed commands can be pasted back. */
import { execFileSync } from 'node:child_process';
import { shellWord } from '../src/shell.js';

const words = [
  'runs/moons-2',
  'my runs/a b',
  "it's",
  'a"b',
  '$HOME',
  'x;y',
  'a&b',
  '*',
  '',
  'naïve',
  'back\\slash',
  'two\nlines',
];

it('leaves plain words as they are', () => {
  expect(shellWord('runs/two-moons-meanflow-seed-0', 'linux')).toBe('runs/two-moons-meanflow-seed-0');
  expect(shellWord('C:\\runs\\moons', 'win32')).toBe('C:\\runs\\moons');
});

it('quotes the others', () => {
  expect(shellWord('my runs/points.csv', 'linux')).toBe("'my runs/points.csv'");
  expect(shellWord('C:\\my runs\\points.csv', 'win32')).toBe('"C:\\my runs\\points.csv"');
});

(process.platform === 'win32' ? it.skip : it)('a POSIX shell reads back what was given', () => {
  const script = `printf '%s\\0' ${words.map((text) => shellWord(text)).join(' ')}`;
  expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(
    words,
  );
});
