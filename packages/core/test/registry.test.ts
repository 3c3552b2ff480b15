import { ArgumentError } from '../src/errors.js';
import { Registry } from '../src/registry.js';

const metrics = () =>
  new Registry('metric', [
    { name: 'mmd2', value: 1 },
    { name: 'sliced', value: 2 },
  ]);

test('entries are found by name, and listed in order', () => {
  const registry = metrics();
  expect(registry.get('sliced').value).toBe(2);
  registry.register({ name: 'another', value: 3 });
  expect(registry.names).toEqual(['mmd2', 'sliced', 'another']);
  expect([...registry].map(({ value }) => value)).toEqual([1, 2, 3]);
  expect(registry.find('none')).toBeUndefined();
});

test.each([
  ['mmd', 'There is no metric "mmd". Did you mean "mmd2"? Known are mmd2, sliced.'],
  ['constructor', 'There is no metric "constructor". Known are mmd2, sliced.'],
  [undefined, 'There is no metric undefined. Known are mmd2, sliced.'],
])('%j is no entry', (name, message) => {
  expect(() => metrics().get(name)).toThrow(ArgumentError);
  expect(() => metrics().get(name)).toThrow(message);
  expect(metrics().find(name)).toBeUndefined();
});

test('what to do beside is said after the names', () => {
  const registry = new Registry('backend', [{ name: 'ort:cpu' }], { advice: 'a doctor says what runs here' });
  expect(() => registry.get('ort')).toThrow('Known are ort:cpu; a doctor says what runs here.');
});

test('a name that is taken, or none, is refused, and changes nothing', () => {
  const registry = metrics();
  expect(() => registry.register({ name: 'mmd2', value: 5 })).toThrow('There is a metric "mmd2" already');
  expect(() => registry.register({ name: '', value: 5 })).toThrow('by a name, got ""');
  expect([...registry].map(({ value }) => value)).toEqual([1, 2]);
});

test('what is written down is completed, by its place, and changes nothing where it is no entry', () => {
  const registry = new Registry('metric', [{ name: 'first' }], {
    complete: ({ name }: { readonly name: string }, place) => {
      if (name === 'bad') throw new ArgumentError('bad is none');
      return { name, place };
    },
  });
  const second = { name: 'second' };
  registry.register(second);
  expect([registry.holds(second), registry.holds({ ...second })]).toEqual([true, false]);
  expect([...registry]).toEqual([
    { name: 'first', place: 0 },
    { name: 'second', place: 1 },
  ]);
  expect(() => registry.register({ name: 'bad' })).toThrow('bad is none');
  expect(registry.check({ name: 'third' })).toEqual({ name: 'third', place: 2 });
  expect(registry.names).toEqual(['first', 'second']);
  expect(() => registry.register('third' as never)).toThrow(
    'A metric is an object with a name, got "third".',
  );
});
