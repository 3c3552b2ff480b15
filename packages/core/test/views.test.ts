/** Views: reading by strides gives what the movements would have. */
import fc from 'fast-check';
import {
  broadcastTo,
  reshape,
  reverse,
  sizeOf,
  slice,
  trace,
  transpose,
  type Shape,
  type Tensor,
} from '../src/index.js';
import { interpret, mergeAxes, viewsOf, type View } from '../src/backend-door.js';
import { wave } from './support/numeric.js';

/** What a view reads of its value's elements, in order. */
function read(view: View, elements: ArrayLike<number>): number[] {
  const values: number[] = [];
  const walk = (axis: number, at: number): void => {
    if (axis === view.shape.length) values.push(elements[at]!);
    else for (let i = 0; i < view.shape[axis]!; i++) walk(axis + 1, at + i * view.strides[axis]!);
  };
  walk(0, view.offset);
  return values;
}

/** One movement, chosen by numbers. */
function move(x: Tensor, [kind, ...choices]: readonly number[]): Tensor {
  const choice = (i: number) => choices[i % choices.length]!;
  switch (kind! % 5) {
    case 0: {
      const left = x.shape.map((_, axis) => axis);
      return transpose(
        x,
        x.shape.map((_, i) => left.splice(choice(i) % left.length, 1)[0]!),
      );
    }
    case 1: {
      const starts = x.shape.map((size, axis) => choice(axis) % size);
      const steps = x.shape.map((_, axis) => 1 + (choice(axis + 1) % 2));
      return slice(x, starts, x.shape, steps);
    }
    case 2: {
      if (sizeOf(x.shape) > 200) return x;
      return broadcastTo(x, [
        2,
        ...x.shape.map((size, axis) => (size === 1 ? 1 + (choice(axis) % 3) : size)),
      ]);
    }
    case 3:
      return reverse(
        x,
        x.shape.flatMap((_, axis) => (choice(axis) % 2 === 0 ? [axis] : [])),
      );
    default: {
      const sizes: number[] = [];
      let left = sizeOf(x.shape);
      for (let i = 0; left > 1 && i < 3; i++) {
        const factors = Array.from({ length: left }, (_, k) => k + 1).filter((k) => left % k === 0);
        const size = factors[choice(i) % factors.length]!;
        sizes.push(size);
        left /= size;
      }
      return reshape(x, [...sizes, left]);
    }
  }
}

const starts: readonly Shape[] = [[4, 6], [2, 3, 4], [1, 12], [5], [], [2, 1, 3, 2]];

describe('viewsOf', () => {
  it('reads in place what movements of any kind would have moved', () => {
    let read_ = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...starts),
        fc.array(fc.array(fc.nat(100), { minLength: 4, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
        (shape, movements) => {
          const { graph } = trace((x: Tensor) => movements.reduce(move, x), wave(shape), { name: 'moves' });
          const input = wave(shape);
          const { value } = graph.outputs[0]!;
          // Where no stride serves, an instruction's own result is the view's value.
          const view = viewsOf(graph)[value]!;
          if (view.value !== graph.inputs[0]!.value) return;
          read_ += 1;
          const expected = interpret(graph, { input })['output'];
          expect(view.shape).toEqual(expected!.shape);
          expect(read(view, input.data)).toEqual([...expected!.data]);
        },
      ),
      { numRuns: 400, seed: 11 },
    );
    expect(read_).toBeGreaterThan(250);
  });

  it('takes heads apart, and a slice of them, without a movement', () => {
    const heads = (x: Tensor) => {
      const parts = transpose(reshape(x, [2, 5, 3, 4, 6]), [2, 0, 3, 1, 4]);
      return reshape(slice(parts, [1, 0, 0, 0, 0], [2, 2, 4, 5, 6]), [2, 4, 5, 6]);
    };
    const { graph } = trace(heads, wave([10, 72]));
    const view = viewsOf(graph)[graph.outputs[0]!.value]!;
    expect(view).toEqual({
      value: graph.inputs[0]!.value,
      offset: 24,
      shape: [2, 4, 5, 6],
      strides: [360, 6, 72, 1],
    });
  });

  it('ends where a reshape has no strides', () => {
    const { graph } = trace((x: Tensor) => reshape(transpose(x, [1, 0]), [6]), wave([2, 3]));
    const view = viewsOf(graph)[graph.outputs[0]!.value]!;
    expect(view).toEqual({ value: graph.outputs[0]!.value, offset: 0, shape: [6], strides: [1] });
  });
});

describe('mergeAxes', () => {
  it('joins neighbours that every value walks evenly, and leaves out axes of size 1', () => {
    const axes = [
      { size: 4, strides: [30, 0] },
      { size: 1, strides: [7, 7] },
      { size: 5, strides: [6, 0] },
      { size: 6, strides: [1, 1] },
    ];
    expect(mergeAxes(axes)).toEqual([
      { size: 20, strides: [6, 0] },
      { size: 6, strides: [1, 1] },
    ]);
  });
});
