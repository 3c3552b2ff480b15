/** Types of trees: interfaces are trees, trees of any form stay so, and what is no tree does not compile. */
import {
  compile,
  grad,
  hostArray,
  jvp,
  referenceBackend,
  spec,
  trace,
  treeMap,
  valueAndGrad,
  vjp,
  type DeviceArray,
  type HostArray,
  type Network,
  type Tensor,
  type TensorSpec,
  type Tree,
} from '../src/index.js';

interface Layer<L> {
  readonly kernel: L;
  readonly bias?: L;
}

interface Parameters<L> {
  readonly layers: readonly Layer<L>[];
  readonly scale: L;
}

const params: Parameters<HostArray> = {
  layers: [{ kernel: hostArray([[1, 2], [3, 4]]), bias: hostArray([1, 1]) }, { kernel: hostArray([[2], [1]]) }], // prettier-ignore
  scale: hostArray(3),
};

function apply({ layers, scale }: Parameters<Tensor>, x: Tensor): Tensor {
  const out = layers.reduce(
    (h, { kernel, bias }) => (bias ? h.matmul(kernel).add(bias) : h.matmul(kernel)),
    x,
  );
  return out.mul(scale);
}

async function numbers(array: DeviceArray): Promise<number[]> {
  return Array.from((await array.read()).data);
}

test('interfaces go through trace, derivatives and compile, and keep their type', async () => {
  const network: Network<Parameters<HostArray>, Tensor, Tensor> = { init: () => params, apply };
  interface Input<L> {
    readonly params: Parameters<L>;
    readonly x: L;
  }
  const given: Input<HostArray> = { params: network.init(undefined as never), x: hostArray([[1, 0]]) };
  const traced = trace(({ params: at, x }) => {
    const loss = (p: Parameters<Tensor>) => network.apply(p, x).sum();
    const [value, gradient] = valueAndGrad(loss)(at);
    const [, tangent] = jvp(loss, [at], [{ layers: [{ kernel: 0, bias: 0 }, { kernel: 0 }], scale: 1 }]);
    const [, pull] = vjp(loss, [at]);
    return { value, gradient, again: pull(value.mul(0).add(1))[0], tangent };
  }, given);
  const f = await compile(referenceBackend(), traced);
  const { value, gradient, again, tangent } = await f.run(given, { borrow: true });
  expect(await numbers(value)).toEqual([3 * (2 * 2 + 3)]);
  expect(await numbers(tangent)).toEqual([7]);
  expect(await numbers(gradient.scale)).toEqual([7]);
  expect(await numbers(gradient.layers[1]!.kernel)).toEqual([6, 9]);
  expect(await numbers(again.layers[0]!.bias!)).toEqual(await numbers(gradient.layers[0]!.bias!));
});

test('trees whose form is known when the program runs go through compile, with state', async () => {
  const state = { first: hostArray([1, 2]), second: [hostArray(3)] } as Tree<HostArray>;
  const batch = { x: hostArray(2) } as Tree<HostArray>;
  const example: { state: Tree<HostArray | TensorSpec>; step: TensorSpec; batch: Tree<HostArray> } = {
    ...{ state, step: spec([]), batch },
  };
  const doubled = (tree: Tree<Tensor>): Tree<Tensor> => treeMap((leaf: Tensor) => leaf.mul(2), tree);
  const traced = trace(
    ({ state: before, step, batch }) => ({
      state: doubled(before),
      next: step.add(1),
      batch: doubled(batch),
    }),
    example,
  );
  const f = await compile(referenceBackend(), traced, { state: { state: 'state' } });
  const first = await f.run({ state, step: hostArray(0), batch });
  const second = await f.run({ state: first.state, step: first.next, batch });
  const held: Tree<DeviceArray> = second.state;
  expect(await numbers((held as { first: DeviceArray }).first)).toEqual([4, 8]);
  expect(await numbers(second.next)).toEqual([2]);
});

test('what is no tree of tensors does not compile', () => {
  const x = spec([2]);
  // @ts-expect-error a string is no leaf
  expect(() => trace((t) => ({ t, name: 'x' }), x)).toThrow('it must return tensors');
  // @ts-expect-error nor is an array of the host a tensor
  expect(() => trace((t) => ({ t, x: hostArray(1) }), x)).toThrow('it must return tensors');
  // @ts-expect-error nor a function
  expect(() => trace((t) => ({ t, f: () => t }), x)).toThrow('it must return tensors');
  // @ts-expect-error a number is no spec
  expect(() => trace((t: unknown) => t as Tensor, { x: 1 })).toThrow('it must be a spec');
  // @ts-expect-error a gradient is taken in tensors
  const notDifferentiable = grad((p: { readonly name: string }) => constantOf(p));
  expect(notDifferentiable).toBeInstanceOf(Function);
});

const constantOf = (_: unknown): Tensor => {
  throw new Error('never called');
};
