/** Products by strides: a plan computes what the contractions and the movements around them would have. */
import fc from 'fast-check';
import {
  add,
  dotGeneral,
  einsum,
  HostArray,
  matmul,
  mul,
  neg,
  reshape,
  sizeOf,
  slice,
  spec,
  sum,
  tanh,
  trace,
  transpose,
  type DotDimensions,
  type Graph,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { interpret, prepare, type Instruction } from '@meanflow/core/backend';
import { needsOf } from '../../src/native/needs.js';
import { operandsOfProduct, planProducts, type StridedProduct } from '../../src/native/products.js';

const wave = (shape: Shape, phase: number) =>
  new HostArray(
    'float64',
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1.3 * i + phase)),
  );

/** The elements that a product writes. */
function multiply(
  { alpha, batch, rows, columns, terms, a, b, c, d }: StridedProduct,
  ...operands: readonly ArrayLike<number>[]
) {
  const [left, right, added] = operands as readonly [
    ArrayLike<number>,
    ArrayLike<number>,
    ArrayLike<number>?,
  ];
  const result = new Float64Array(sizeOf(batch) * rows * columns).fill(NaN);
  const walk = (axis: number, atA: number, atB: number, atC: number, atD: number): void => {
    if (axis < batch.length) {
      for (let k = 0; k < batch[axis]!; k++)
        walk(
          axis + 1,
          atA + k * a.batch[axis]!,
          atB + k * b.batch[axis]!,
          atC + k * c.batch[axis]!,
          atD + k * (d?.batch[axis] ?? 0),
        );
      return;
    }
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let p = 0; p < terms; p++)
          sum += left[atA + i * a.row + p * a.column]! * right[atB + p * b.row + j * b.column]!;
        result[atC + i * c.row + j * c.column] =
          alpha * sum + (d === undefined ? 0 : added![atD + i * d.row + j * d.column]!);
      }
  };
  walk(0, a.offset, b.offset, 0, d?.offset ?? 0);
  return result;
}

/** Runs a graph, its planned products by strides. */
function runPlanned(graph: Graph, inputs: readonly HostArray[]) {
  const products = planProducts(graph);
  const { idle } = needsOf(graph, (instruction) => {
    const product = products.get(instruction);
    return product === undefined ? instruction.inputs : operandsOfProduct(product);
  });
  const values = new Map<number, HostArray>(graph.inputs.map(({ value }, i) => [value, inputs[i]!]));
  const ran: { readonly op: string }[] = [];
  for (const instruction of graph.instructions) {
    if (idle.has(instruction)) continue;
    const product = products.get(instruction);
    ran.push(product === undefined ? instruction : A_PRODUCT);
    const [output] = instruction.outputs;
    if (product === undefined) {
      const one = graphOfOne(graph, instruction);
      const given = Object.fromEntries(one.inputs.map(({ name, value }) => [name, values.get(value)!]));
      values.set(output!, interpret(one, given)['out']!);
    } else {
      const data = multiply(product, ...operandsOfProduct(product).map((value) => values.get(value)!.data));
      values.set(product.c.value, new HostArray('float64', graph.types[product.c.value]!.shape, data));
    }
  }
  return { outputs: graph.outputs.map(({ value }) => values.get(value)!), ran, products };
}

/** A graph of one instruction, with the numbers of its values. */
function graphOfOne(graph: Graph, instruction: Instruction): Graph {
  const inputs = [...new Set(instruction.inputs)].map((value) => ({ name: `in${value}`, value }));
  const outputs = [{ name: 'out', value: instruction.outputs[0]! }];
  return Object.assign(Object.create(Object.getPrototypeOf(graph)), graph, {
    inputs,
    outputs,
    instructions: [instruction],
  }) as Graph;
}

function check(f: (...inputs: Tensor[]) => Tensor, shapes: readonly Shape[]) {
  const { graph: traced } = trace(
    (given: Tensor[]) => f(...given),
    shapes.map((shape) => spec(shape)),
  );
  const graph = prepare(traced);
  const inputs = shapes.map((shape, i) => wave(shape, i));
  const expected = interpret(graph, Object.fromEntries(inputs.map((x, i) => [`${i}`, x])))['output']!;
  const { outputs, ran, products } = runPlanned(graph, inputs);
  expect(outputs[0]!.shape).toEqual(expected.shape);
  outputs[0]!.data.forEach((x, i) => expect(x).toBeCloseTo(expected.data[i]!, 9));
  return { ran: ran.map(({ op }) => op), products: [...products.values()] };
}

const A_PRODUCT = { op: 'dotGeneral' };

const count = (ops: readonly string[], op: string) => ops.filter((other) => other === op).length;

describe('planProducts', () => {
  it('reads transposed operands where they lie', () => {
    const { ran } = check(
      (x, y) => matmul(transpose(x, [1, 0]), transpose(y, [1, 0])),
      [
        [7, 10],
        [9, 7],
      ],
    );
    expect(ran).toEqual(['dotGeneral']);
  });

  it('does attention without moving a head', () => {
    const attend = (x: Tensor, w: Tensor, out: Tensor) => {
      const parts = transpose(reshape(matmul(x, w), [2, 5, 3, 4, 8]), [2, 0, 3, 1, 4]);
      const part = (i: number) => reshape(slice(parts, [i, 0, 0, 0, 0], [i + 1, 2, 4, 5, 8]), [2, 4, 5, 8]);
      const scores = tanh(einsum('bhqd,bhkd->bhqk', mul(part(0), 0.25), part(1)));
      const heads = einsum('bhqk,bhkd->bhqd', scores, part(2));
      return matmul(reshape(transpose(heads, [0, 2, 1, 3]), [10, 32]), out);
    };
    const { ran } = check(attend, [
      [10, 12],
      [12, 96],
      [32, 12],
    ]);
    expect(ran).toEqual(['dotGeneral', 'dotGeneral', 'tanh', 'dotGeneral', 'dotGeneral']);
  });

  it('writes the result where movements take it, and not where somebody reads it as it is', () => {
    const moved = (x: Tensor, y: Tensor) => tanh(transpose(matmul(x, y), [1, 0]));
    expect(
      check(moved, [
        [9, 3],
        [3, 10],
      ]).ran,
    ).toEqual(['dotGeneral', 'tanh']);
    const shared = (x: Tensor, y: Tensor) => {
      const z = matmul(x, y);
      return add(transpose(tanh(z), [1, 0]), transpose(z, [1, 0]));
    };
    expect(
      count(
        check(shared, [
          [9, 3],
          [3, 10],
        ]).ran,
        'transpose',
      ),
    ).toBeGreaterThan(0);
  });

  it('adds a bias, and another product, where they lie', () => {
    const biased = (x: Tensor, y: Tensor, bias: Tensor) => add(matmul(x, y), bias);
    expect(check(biased, [[9, 3], [3, 10], [10]]).ran).toEqual(['dotGeneral']); // prettier-ignore
    const two = (x: Tensor, y: Tensor, z: Tensor, w: Tensor) => add(matmul(x, y), mul(matmul(z, w), 3));
    expect(check(two, [[9, 3], [3, 10], [9, 4], [4, 10]]).ran).toEqual(['dotGeneral', 'dotGeneral']); // prettier-ignore
  });

  it('sums over no terms, and over terms that lie apart in memory', () => {
    check((x, y) => dotGeneral(x, y, NONE), [[3], [9]]);
    // The terms are axes 0 and 2 of the left operand, which no single stride walks: it stays a contraction.
    const { products } = check((x, y) => einsum('aibj,aj->ib', reshape(x, [2, 3, 4, 5]), y), [[120], [2, 5]]);
    expect(products).toHaveLength(0);
  });

  it('agrees with the reference on contractions of any axes of any views', () => {
    let planned = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 30, maxLength: 40 }), (numbers) => {
        let next = 0;
        const below = (n: number) => numbers[next++ % numbers.length]! % n;
        const shuffle = <T>(list: readonly T[]) => {
          const left = [...list];
          return list.map(() => left.splice(below(left.length), 1)[0]!);
        };
        const sizes = [2, 3, 4];
        const shapes: Shape[] = [
          [4, 3, 2, 3],
          [3, 2, 4, 2],
        ];
        const view = (x: Tensor): Tensor => {
          const scaled = below(3) === 0 ? mul(x, -1.5) : x;
          const turned = transpose(below(4) === 0 ? neg(scaled) : scaled, shuffle([0, 1, 2, 3]));
          if (below(3) === 0) return turned;
          const starts = turned.shape.map((size) => below(size));
          return slice(turned, starts, turned.shape);
        };
        const f = (x: Tensor, y: Tensor) => {
          const [a, b] = [view(x), view(y)];
          const d = {
            lhsBatch: [] as number[],
            rhsBatch: [] as number[],
            lhsContracting: [] as number[],
            rhsContracting: [] as number[],
          };
          const free = shuffle([0, 1, 2, 3]);
          for (const axis of shuffle([0, 1, 2, 3])) {
            const partner = free.findIndex((other) => b.shape[other] === a.shape[axis]);
            const role = (['Batch', 'Contracting', 'none'] as const)[below(sizes.length)]!;
            if (partner < 0 || role === 'none') continue;
            d[`lhs${role}`].push(axis);
            d[`rhs${role}`].push(...free.splice(partner, 1));
          }
          const product = dotGeneral(a, b, d);
          const moved = transpose(product, shuffle(product.shape.map((_, axis) => axis)));
          const halved = below(2) === 0 ? mul(0.5, moved) : moved;
          const added =
            below(3) === 0 ? halved : add(halved, below(2) === 0 ? 1.5 : sum(halved, 0, { keepDims: true }));
          return below(2) === 0 ? tanh(added) : added;
        };
        planned += check(f, shapes).products.length;
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(planned).toBeGreaterThan(150);
  });
});

const NONE: DotDimensions = { lhsBatch: [], rhsBatch: [], lhsContracting: [], rhsContracting: [] };
