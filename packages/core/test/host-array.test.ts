import { ArgumentError, DTypeError, hostArray, HostArray, hostZeros, ShapeError } from '../src/index.js';

describe('HostArray', () => {
  it('holds nested numbers, typed arrays and scalars', () => {
    const matrix = hostArray([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    expect([matrix.dtype, matrix.shape, [...matrix.data]]).toEqual(['float32', [2, 3], [1, 2, 3, 4, 5, 6]]);
    expect(hostArray(7).shape).toEqual([]);
    expect(hostArray(Float64Array.of(1, 2), { shape: [2, 1] }).shape).toEqual([2, 1]);
    expect(hostArray([], { dtype: 'int32' }).shape).toEqual([0]);
    expect(hostZeros([2, 2], 'bool').data).toEqual(new Uint8Array(4));
  });

  it('keeps bools 0 or 1', () => {
    expect([...hostArray([0, 2, -1], { dtype: 'bool' }).data]).toEqual([0, 1, 1]);
    expect([...hostArray([0, 0.5]).to('bool').data]).toEqual([0, 1]);
  });

  it('gives its one element, rows and other shapes without copying', () => {
    const array = hostArray([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    expect(hostArray([[3]]).item()).toBe(3);
    expect([array.rows(1, 3).shape, [...array.rows(1, 3).data]]).toEqual([
      [2, 2],
      [3, 4, 5, 6],
    ]);
    expect(array.reshape([6]).data).toBe(array.data);
    const copy = array.clone();
    copy.data[0] = 9;
    expect(array.data[0]).toBe(1);
  });

  it('takes rows in any order, and joins them, in memory of its own', () => {
    const array = hostArray([[1, 2], [3, 4], [5, 6]], { dtype: 'int32' }); // prettier-ignore
    const taken = array.takeRows([2, 0, 2]);
    expect(taken).toEqual(hostArray([[5, 6], [1, 2], [5, 6]], { dtype: 'int32' })); // prettier-ignore
    const joined = HostArray.joinRows([array.rows(1, 2), array.rows(0, 0), taken]);
    expect(joined.dtype).toBe('int32');
    expect([joined.shape, [...joined.data]]).toEqual([[4, 2], [3, 4, 5, 6, 1, 2, 5, 6]]); // prettier-ignore
    array.data.fill(0);
    expect(joined.data[0] + taken.data[0]).toBe(8);
    expect([...HostArray.joinRows([hostArray([1]), hostArray([2, 3])]).data]).toEqual([1, 2, 3]);
  });

  it('converts, rounding to the nearest float32 and truncating to int32', () => {
    const exact = hostArray([0.1, -1.7], { dtype: 'float64' });
    expect([...exact.to('float32').data]).toEqual([Math.fround(0.1), Math.fround(-1.7)]);
    expect([...exact.to('int32').data]).toEqual([0, -1]);
    expect(exact.to('float64')).toBe(exact);
  });

  it('prints its type', () => {
    expect(`${hostZeros([2, 3], 'int32')}`).toBe('int32[2, 3]');
  });

  it.each<[string, () => unknown, new (message?: string) => Error, string]>([
    ['data that is too short', () => new HostArray('float32', [3], new Float32Array(2)), ShapeError, 'HostArray of shape [3] needs 3 elements, got 2.'],
    ['data of another type', () => new HostArray('float32', [2], new Int32Array(2) as never), DTypeError, 'HostArray of float32 takes a Float32Array, got an Int32Array of 2.'],
    ['a negative size', () => hostZeros([-1]), ShapeError, 'A shape holds non-negative integers, got [-1].'],
    ['ragged rows', () => hostArray([[1], [2, 3]]), ShapeError, 'Nested values are ragged: found [1] next to [2].'],
    ['item() of several', () => hostArray([1, 2]).item(), ShapeError, 'item() needs one element, float32[2] has 2.'],
    ['rows out of range', () => hostArray([1, 2]).rows(1, 3), ArgumentError, 'rows(1, 3) is out of range for float32[2].'],
    ['taking a row that is none', () => hostArray([1, 2]).takeRows([0, 2]), ArgumentError, 'takeRows() takes rows from 0 and below 2, got 2.'],
    ['taking half a row', () => hostArray([1, 2]).takeRows([0.5]), ArgumentError, 'below 2, got 0.5.'],
    ['joining nothing', () => HostArray.joinRows([]), ShapeError, 'joinRows() takes one array or more'],
    ['joining rows that differ', () => HostArray.joinRows([hostZeros([1, 2]), hostZeros([1, 3])]), ShapeError, 'got float32[1, 2] and float32[1, 3].'],
    ['rows of a scalar', () => hostArray(1).rows(0, 1), ShapeError, 'rows() needs at least one axis, got a scalar.'],
    ['a reshape to another size', () => hostArray([1, 2]).reshape([3]), ShapeError, 'HostArray of shape [3] needs 3 elements, got 2.'],
  ])('refuses %s', (_, make, type, message) => {
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  }); // prettier-ignore
});
