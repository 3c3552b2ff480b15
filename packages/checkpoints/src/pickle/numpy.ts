/** NumPy's scalars and arrays in pickles, such as losses and statistics that a training script kept. */
import { DataError, sizeOf } from '@meanflow/core';
import type { StoredDTypeName, StoredTensor } from '@meanflow/formats';
import { numpyDType, storedDTypes, checkShape, columnMajorStrides, gather } from '@meanflow/formats/build';
import { type Buildable, type KnownGlobal, PassOver, PickleProblem, Tuple } from './values.js';

/** `numpy.dtype('f4')`, whose state says the order of bytes. */
class NumpyDType implements Buildable {
  private order = '<';

  constructor(private readonly code: string) {}

  build(state: unknown): void {
    const order: unknown = state instanceof Tuple ? state.items[1] : undefined;
    if (typeof order !== 'string') throw new PickleProblem('the state of a dtype of NumPy is damaged');
    this.order = order;
  }

  /** Undefined where elements are no plain little-endian numbers. */
  resolve(): StoredDTypeName | undefined {
    try {
      const { dtype, isBigEndian } = numpyDType(this.code, 'An array of NumPy in it');
      return isBigEndian || this.order === '>' ? undefined : dtype;
    } catch (error) {
      if (error instanceof DataError) return undefined;
      throw error;
    }
  }

  get text(): string {
    return `${this.order === '>' ? '>' : ''}${this.code}`;
  }
}

/** An array, empty until its state is set. */
export class NumpyArray implements Buildable {
  private state: { readonly dtype: StoredDTypeName; readonly shape: readonly number[]; readonly bytes: Uint8Array } | undefined; // prettier-ignore
  /** What it is, where its elements are not read. */
  passedOver: string | undefined;

  build(state: unknown): void {
    const [, shape, dtype, isColumnMajor, bytes] = state instanceof Tuple ? state.items : [];
    const sizes: unknown = shape instanceof Tuple ? [...shape.items] : shape;
    checkShape(sizes, 'An array of NumPy in it');
    const held = dtype instanceof NumpyDType ? dtype.resolve() : undefined;
    if (held === undefined) {
      const elements = dtype instanceof NumpyDType ? dtype.text : 'unknown';
      this.passedOver = `an array of NumPy of dtype ${elements}`;
      return;
    }
    if (!(bytes instanceof Uint8Array)) throw new PickleProblem('the state of an array of NumPy is damaged');
    const elementBytes = storedDTypes[held].bytes;
    if (bytes.length !== sizeOf(sizes) * elementBytes) {
      throw new PickleProblem(`an array of NumPy of shape [${sizes.join(', ')}] has ${bytes.length} bytes`);
    }
    this.state = { dtype: held, shape: sizes, bytes };
    if (isColumnMajor === true) {
      const layout = { shape: sizes, strides: columnMajorStrides(sizes), offset: 0 };
      const pieces = [...gather(bytes, elementBytes, layout)];
      let at = 0;
      const rowMajor = new Uint8Array(bytes.length);
      for (const piece of pieces) {
        rowMajor.set(piece, at);
        at += piece.length;
      }
      this.state = { ...this.state, bytes: rowMajor };
    }
  }

  /** @throws {DataError} when it never got its state */
  tensor(name: string): StoredTensor {
    if (this.state === undefined) throw new DataError(`The array of NumPy "${name}" has no elements.`);
    const { dtype, shape, bytes } = this.state;
    return {
      name,
      dtype,
      shape,
      pieces: async function* () {
        yield bytes;
      },
    };
  }
}

/** `_frombuffer(bytes, dtype, shape, order)`, which protocol 5 makes arrays by. */
function fromBuffer([bytes, dtype, shape, order]: readonly unknown[]): NumpyArray {
  const array = new NumpyArray();
  array.build(new Tuple([1, shape, dtype, order === 'F', bytes]));
  return array;
}

/** `scalar(dtype, bytes)` */
function scalar([dtype, bytes]: readonly unknown[]): number {
  const held = dtype instanceof NumpyDType ? dtype.resolve() : undefined;
  if (held === undefined) {
    throw new PassOver(dtype instanceof NumpyDType ? `a scalar of NumPy of dtype ${dtype.text}` : undefined);
  }
  if (!(bytes instanceof Uint8Array) || bytes.length !== storedDTypes[held].bytes)
    throw new PickleProblem('a scalar of NumPy is damaged');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Number(storedDTypes[held].element(view, 0));
}

const multiarray: Readonly<Record<string, KnownGlobal>> = {
  scalar: { call: scalar },
  _reconstruct: { call: () => new NumpyArray() },
};

const numeric: Readonly<Record<string, KnownGlobal>> = { _frombuffer: { call: fromBuffer } };

/** By module and name. */
export const numpyGlobals: Readonly<Record<string, Readonly<Record<string, KnownGlobal>>>> = {
  numpy: {
    dtype: {
      call: ([code]) => {
        if (typeof code !== 'string') throw new PassOver();
        return new NumpyDType(code);
      },
    },
    ndarray: {},
  },
  'numpy.core.multiarray': multiarray,
  'numpy._core.multiarray': multiarray,
  'numpy.core.numeric': numeric,
  'numpy._core.numeric': numeric,
};
