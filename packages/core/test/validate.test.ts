import * as z from 'zod';
import { ArgumentError, DataError } from '../src/errors.js';
import { problemAt, validate } from '../src/validate.js';

const schema = z.strictObject({
  width: z.int().positive().max(100),
  name: z.enum(['left', 'right']).default('left'),
  parts: z.array(z.number()).min(1).max(2).optional(),
  inner: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('a'), x: z.number() }),
      z.strictObject({ kind: z.literal('b') }),
    ])
    .optional(),
});

test('gives the value with its defaults, typed', () => {
  const { width, name }: { width: number; name: 'left' | 'right' } = validate(schema, { width: 3 }, 'here');
  expect({ width, name }).toEqual({ width: 3, name: 'left' });
});

test.each<[unknown, string]>([
  [{ width: 0 }, 'here: width: expected more than 0, got 0.'],
  [{ width: 101 }, 'here: width: expected at most 100, got 101.'],
  [{ width: 1.5 }, 'here: width: expected a whole number, got 1.5.'],
  [{}, 'here: width: expected a number, got nothing.'],
  [{ width: 1, widht: 2 }, 'here: there is no field "widht". Did you mean "width"? Known are width, name, parts, inner.'],
  [{ width: 1, name: 'rihgt' }, 'here: name: expected one of left, right, got "rihgt". Did you mean "right"?'],
  [{ width: 1, parts: [] }, 'here: parts: expected at least 1 of them, got a list.'],
  [{ width: 1, parts: [1, 2, 3] }, 'here: parts: expected at most 2 of them, got a list.'],
  [{ width: 1, parts: [1, '2'] }, 'here: parts[1]: expected a number, got "2".'],
  [{ width: 1, inner: { kind: 'c' } }, 'here: inner.kind: expected one of a, b, got "c".'],
  [{ width: 1, inner: { kind: 'b', x: 1 } }, 'here: inner: there is no field "x". Known are kind.'],
  [5, 'here: expected an object, got 5.'],
])('%j is refused by field', (value, message) => {
  expect(() => validate(schema, value, 'here')).toThrow(ArgumentError);
  expect(() => validate(schema, value, 'here')).toThrow(message);
  expect(() => validate(schema, value, 'here', DataError)).toThrow(DataError);
}); // prettier-ignore

test('a source that knows lines is asked for them', () => {
  const source = { toString: () => 'a.json', lineOf: (path: readonly PropertyKey[]) => (path[0] === 'widht' ? 7 : undefined) };
  expect(() => validate(schema, { width: 1, widht: 2 }, source)).toThrow('a.json: line 7: there is no field "widht"');
}); // prettier-ignore

describe('a source of several parts', () => {
  const file = { toString: () => 'a.json', lineOf: (path: readonly PropertyKey[]) => (path[0] === 'name' ? 7 : undefined) };
  const source = {
    toString: () => 'all of it',
    partOf: ([first]: readonly PropertyKey[]) => (first === 'width' || first === 'widht' ? '--width' : first === 'name' ? file : undefined),
  };

  test.each<[unknown, string]>([
    [{ width: 0 }, '--width: width: expected more than 0, got 0.'],
    [{ width: 1, widht: 2 }, '--width: there is no field "widht".'],
    [{ width: 1, name: 'rihgt' }, 'a.json: name (line 7): expected one of'],
    [{ width: 1, parts: [] }, 'all of it: parts: expected at least 1'],
    [{ width: 0, widht: 2 }, '--width:\n  width: expected more than 0, got 0.\n  there is no field "widht".'],
    [{ width: 0, name: 3, parts: [] }, 'all of it:\n  --width: width: expected more than 0, got 0.\n  a.json: name (line 7): expected one of left, right, got 3.\n  all of it: parts:'],
  ])('says which part a field of %j is from', (value, message) => {
    expect(() => validate(schema, value, source)).toThrow(message);
  });

  test('a problem that no schema sees is placed alike', () => {
    expect(problemAt(source, ['name'], 'no.')).toBe('a.json: name (line 7): no.');
    expect(problemAt(source, ['width'], 'no.')).toBe('--width: width: no.');
    expect(problemAt('here', ['a', 0], 'no.')).toBe('here: a[0]: no.');
  });
}); // prettier-ignore
