/** State that a run consumes is written over by kernels on WebGPU, and only where nothing else needs what stood there. */
import * as mf from '@meanflow/core';
import type { TfjsBackend } from '../src/index.js';
import { buildProgram } from '../src/program/build.js';
import { gpuFusion } from '../src/webgpu/cost.js';
import { donatedOf, fuse } from '../src/webgpu/fusion.js';
import { runGraph } from '@meanflow/conformance/testing';
import { expectClose, floats, normal, noWebgpu, open } from './support.js';

type Named = Readonly<Record<string, mf.Tensor>>;

/** How many results are written over their operands, where inputs that results are named after are state. */
function writtenOver(f: (input: Named) => Named, input: Readonly<Record<string, mf.TensorSpec>>): number {
  const { graph } = mf.trace(f as never, input as never);
  const isState = (name: string) => graph.outputs.some((output) => output.name === name);
  const program = buildProgram(graph);
  const units = fuse(program, gpuFusion, donatedOf(program, isState));
  return units.reduce((sum, unit) => sum + (unit.kind === 'kernel' ? unit.kernel.inPlace.length : 0), 0);
}

describe('written over', () => {
  const p = mf.spec([8, 16]);

  test('is what each element is made of itself', () => {
    expect(writtenOver(({ p, m }) => ({ p: p!.sub(m!), m: m!.mul(0.9) }), { p, m: p })).toBe(2);
    expect(writtenOver(({ p, x, y }) => ({ p: p!.add(mf.matmul(x!, y!)) }), { p, x: mf.spec([8, 5]), y: mf.spec([5, 16]) })).toBe(1);
    expect(writtenOver(({ p, x }) => ({ p: p!.add(mf.sum(x!, 0)) }), { p: mf.spec([16]), x: p })).toBe(1);
  }); // prettier-ignore

  test('is nothing that stays', () => {
    expect(writtenOver(({ p, x }) => ({ p: p!.sub(x!) }), { p, x: p })).toBe(1);
    expect(writtenOver(({ p, x }) => ({ q: p!.sub(x!) }), { p, x: p })).toBe(0);
    expect(writtenOver(({ p }) => ({ q: p!.mul(2), p: p! }), { p })).toBe(0);
  });

  test('is nothing that other elements are made of, in this kernel or after it', () => {
    expect(writtenOver(({ p }) => ({ p: mf.reverse(p!, [0]) }), { p })).toBe(0);
    expect(writtenOver(({ p }) => ({ p: p!.add(mf.reverse(p!, [1])) }), { p })).toBe(0);
    expect(writtenOver(({ p }) => ({ p: p!.sub(mf.mean(p!)) }), { p: mf.spec([64, 1024]) })).toBe(1);
    const two = ({ p, w }: Named) => ({ p: p!.mul(2), q: p!.add(mf.matmul(p!.mul(2), w!)) });
    expect(writtenOver(two, { p, w: mf.spec([16, 16]) })).toBe(0);
    const after = ({ p }: Named) => ({ p: p!.mul(2), y: mf.matmul(p!, mf.transpose(p!.mul(2))) });
    expect(writtenOver(after, { p })).toBe(0);
  });
});

(noWebgpu === undefined ? describe : describe.skip)('on a device', () => {
  let backend: TfjsBackend;
  beforeAll(async () => {
    backend = await open('webgpu');
  });
  afterAll(() => backend.dispose());

  test('steps give what they give on the reference', async () => {
    const step = ({ p, m, x }: Named) => {
      const gradient = mf.matmul(mf.transpose(x!), mf.tanh(mf.matmul(x!, p!)));
      const next = m!.mul(0.9).add(gradient.mul(0.1));
      return { p: p!.sub(next), m: next, norm: mf.sum(mf.square(p!)) };
    };
    const shapes = { p: mf.spec([9, 7]), m: mf.spec([9, 7]), x: mf.spec([20, 9]) };
    const { graph } = mf.trace(step as never, shapes as never);
    const losses: number[][] = [];
    const found: mf.HostArray[] = [];
    for (const each of [backend, mf.referenceBackend()]) {
      const executable = await each.compile(graph, { state: { p: 'p', m: 'm' } });
      let state: Readonly<Record<string, mf.RunInput>> = { p: normal([9, 7]), m: normal([9, 7], 'm') };
      const norms: number[] = [];
      for (let k = 0; k < 4; k++) {
        const { norm, ...next } = await executable.run({ ...state, x: normal([20, 9], 'x') });
        norms.push((await norm!.read()).item());
        norm!.dispose();
        state = next;
      }
      losses.push(norms);
      found.push(await (state.p as mf.DeviceArray).read());
      for (const array of Object.values(state)) (array as mf.DeviceArray).dispose();
      await executable.dispose();
    }
    expectClose(found[0]!, found[1]!, 'sum', 30);
    losses[0]!.forEach((norm, k) => expect(norm / losses[1]![k]!).toBeCloseTo(1, 4));
  });

  test('what reads the state before comes before', async () => {
    const step = ({ p, w }: Named) => ({ p: p!.mul(2), y: mf.matmul(mf.max(p!, 0, { keepDims: true }), w!) });
    const shapes = { p: mf.spec([8, 16]), w: mf.spec([16, 3]) };
    expect(writtenOver(step, shapes)).toBe(1);
    const { graph } = mf.trace(step as never, shapes as never);
    const executable = await backend.compile(graph, { state: { p: 'p' } });
    const inputs = { p: normal([8, 16]), w: normal([16, 3], 'w') };
    const { p, y } = await executable.run(inputs);
    const expected = await runGraph(mf.referenceBackend(), graph, inputs);
    expectClose(await y!.read(), expected.y!, 'sum', 4);
    for (const array of [p, y]) array!.dispose();
    await executable.dispose();
  });

  test('arrays that share their memory do not share what is written', async () => {
    const twice = await backend.compile(mf.trace(({ x }: Named) => ({ a: x!.add(1), b: x!.add(1) }), { x: mf.spec([5]) }).graph);
    const step = ({ a, b }: Named) => ({ a: a!.add(1), b: b!.mul(10) });
    const both = await backend.compile(mf.trace(step as never, { a: mf.spec([5]), b: mf.spec([5]) } as never).graph, { state: { a: 'a', b: 'b' } });
    let state = await twice.run({ x: floats([0, 1, 2, 3, 4]) });
    for (let k = 0; k < 2; k++) {
      state = await both.run(state);
      // What is read in between is not what is read afterwards.
      expect((await state.a!.read()).data[0]).toBe(k + 2);
    }
    expect([...(await state.a!.read()).data]).toEqual([3, 4, 5, 6, 7]);
    expect([...(await state.b!.read()).data]).toEqual([100, 200, 300, 400, 500]);
    for (const array of Object.values(state)) array.dispose();
    for (const executable of [twice, both]) await executable.dispose();
    expect(backend.memory().storages).toBe(0);
  }); // prettier-ignore
});
