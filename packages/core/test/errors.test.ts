/** Errors that are known by name: after a bundler has shortened names, and from another copy of the package. */
import { jest } from '@jest/globals';
import * as core from '../src/index.js';

const { ArgumentError, BackendError, DataError, DeviceLostError, MeanflowError, ShapeError } = core;

type ErrorClass = new (...words: string[]) => core.MeanflowError;

/** The classes of errors that the package has, by name. */
const classes = Object.entries(core).flatMap(([name, value]): [string, ErrorClass][] =>
  typeof value === 'function' && value.prototype instanceof Error ? [[name, value as ErrorClass]] : [],
);

test.each(classes)('%s says its name, whatever its class is called', (name, type) => {
  const error = new type('one', 'two');
  expect(error.name).toBe(name);
  expect(String(error)).toMatch(`${name}: `);
  // As in a minified bundle.
  Object.defineProperty(type, 'name', { value: 'p', configurable: true });
  expect(error.name).toBe(name);
  Object.defineProperty(type, 'name', { value: name, configurable: true });
});

it('there are eleven classes of errors', () => {
  expect(classes).toHaveLength(11);
});

describe('instanceof', () => {
  it('tells classes apart', () => {
    const error = new ShapeError('no');
    expect(error instanceof ShapeError && error instanceof MeanflowError && error instanceof Error).toBe(
      true,
    );
    expect(error instanceof DataError).toBe(false);
    expect(new DeviceLostError('b', 'gone') instanceof BackendError).toBe(true);
    expect(new BackendError('gone') instanceof DeviceLostError).toBe(false);
    for (const other of [new Error('x'), null, undefined, 'text', { name: 'ShapeError' }]) {
      expect((other as unknown) instanceof MeanflowError).toBe(false);
    }
  });

  it('knows the errors of a second copy of the package', async () => {
    jest.resetModules();
    const other = await import('../src/index.js');
    expect(other.ShapeError).not.toBe(ShapeError);
    const theirs = new other.DeviceLostError('ort:webgpu', 'gone');
    expect(theirs instanceof DeviceLostError && theirs instanceof BackendError).toBe(true);
    expect(theirs instanceof MeanflowError).toBe(true);
    expect(theirs instanceof ArgumentError).toBe(false);
    expect(new ShapeError('no') instanceof other.ShapeError).toBe(true);
  });

  it('of a class that gives itself no name is about that class alone', () => {
    // eslint-disable-next-line no-restricted-syntax -- what a user of the package may write
    class Mine extends DataError {}
    expect(new Mine('x') instanceof Mine && new Mine('x') instanceof DataError).toBe(true);
    expect(new DataError('x') instanceof Mine).toBe(false);
  });
});
