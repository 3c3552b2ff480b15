/** A whole MeanFlow train step on a small MLP: forward, JVP, backward, AdamW and EMA in one executable. */
import * as mf from '@meanflow/core';
import { expectClose, floats, normal, onEveryDevice } from './support.js';

const BATCH = 32;
const WIDTH = 24;
const { add, concat, matmul, mul, reshape, sub } = mf;

type Layer = { readonly w: mf.Tensor; readonly b: mf.Tensor };
type Params = { readonly hidden: readonly Layer[]; readonly out: Layer };

function network(params: Params, z: mf.Tensor, r: mf.Tensor, t: mf.Tensor): mf.Tensor {
  const column = (x: mf.Tensor) => reshape(x, [-1, 1]);
  let h = concat([z, mf.sin(column(t)), mf.cos(column(sub(t, r)))], 1);
  for (const { w, b } of params.hidden) h = mf.silu(add(matmul(h, w), b));
  return add(matmul(h, params.out.w), params.out.b);
}

/** MeanFlow's loss (Geng et al., 2025, Algorithm 1) with adaptive weighting of power 1. */
function loss(params: Params, { x, e, r, t }: Record<'x' | 'e' | 'r' | 't', mf.Tensor>): mf.Tensor {
  const time = reshape(t, [-1, 1]);
  const z = add(mul(sub(1, time), x), mul(time, e));
  const v = sub(e, x);
  const [u, dudt] = mf.jvp((zz: mf.Tensor, tt: mf.Tensor) => network(params, zz, r, tt), [z, t], [v, 1]);
  const target = mf.stopGradient(sub(v, mul(sub(time, reshape(r, [-1, 1])), dudt)));
  const squares = mf.sum(mf.square(sub(u, target)), -1);
  return mf.mean(mul(mf.stopGradient(mf.div(1, add(squares, 1e-3))), squares));
}

const layer = (inputs: number, outputs: number) => ({ w: mf.spec([inputs, outputs]), b: mf.spec([outputs]) });
const params = { hidden: [layer(4, WIDTH), layer(WIDTH, WIDTH)], out: layer(WIDTH, 2) };
const batch = { x: mf.spec([BATCH, 2]), e: mf.spec([BATCH, 2]), r: mf.spec([BATCH]), t: mf.spec([BATCH]) };

const step = mf.trace(
  (input: mf.Traced<{ params: typeof params; mean: typeof params; variance: typeof params; ema: typeof params; batch: typeof batch; stepSize: mf.TensorSpec; epsilon: mf.TensorSpec }>) => {
    const [value, gradient] = mf.valueAndGrad((p: Params) => loss(p, input.batch))(input.params as Params);
    const rows = mf.treeZip<mf.Tensor>('step', input.params, input.mean, input.variance, input.ema, gradient);
    const updated = rows.map(({ leaves: [p, mean, variance, ema, g] }) => {
      const { stepSize, epsilon } = input;
      const adam = mf.adamUpdate({ gradient: g, mean, variance, stepSize, epsilon }, { beta1: 0.9, beta2: 0.95 });
      const next = add(mul(p, 1 - 1e-6), adam.update);
      return [next, adam.mean, adam.variance, add(mul(ema, 0.999), mul(next, 0.001))];
    });
    const { structure } = mf.treeFlatten<mf.Tensor>(input.params);
    const column = (i: number) => structure.unflatten(updated.map((row) => row[i]));
    return { loss: value, params: column(0), mean: column(1), variance: column(2), ema: column(3) };
  },
  { params, mean: params, variance: params, ema: params, batch, stepSize: mf.spec([]), epsilon: mf.spec([]) },
  { name: 'step' },
); // prettier-ignore

const STATE = ['params', 'mean', 'variance', 'ema'] as const;
const isState = (name: string) => STATE.some((part) => name.startsWith(`${part}/`));

function startingInputs(): Record<string, mf.HostArray> {
  const { graph } = step;
  return Object.fromEntries(
    graph.inputs.map(({ name, value }) => {
      const { shape } = graph.types[value];
      if (name === 'stepSize') return [name, floats([-1e-3], [])];
      if (name === 'epsilon') return [name, floats([1e-4], [])];
      if (name.startsWith('mean/') || name.startsWith('variance/')) return [name, mf.hostZeros(shape)];
      if (name === 'batch/r') return [name, floats(Array.from({ length: BATCH }, (_, i) => i / BATCH / 2))];
      if (name === 'batch/t')
        return [name, floats(Array.from({ length: BATCH }, (_, i) => 0.5 + i / BATCH / 2))];
      const data = normal(shape, name.replace('ema/', 'params/')).data.map((value) => value * 0.3);
      return [name, mf.hostArray(data, { shape })];
    }),
  );
}

onEveryDevice(({ backend }) => {
  test('three steps are the reference interpreter’s', async () => {
    const executable = await (
      await backend()
    ).compile(step.graph, {
      state: Object.fromEntries(
        step.graph.inputs.filter(({ name }) => isState(name)).map(({ name }) => [name, name]),
      ),
    });
    const fixed = startingInputs();
    let onDevice: Record<string, mf.RunInput> = fixed;
    let onHost: Record<string, mf.HostArray> = fixed;
    for (let k = 0; k < 3; k++) {
      const got = await executable.run(onDevice);
      const expected = mf.interpret(step.graph, onHost);
      for (const [name, array] of Object.entries(got)) expectClose(await array.read(), expected[name], 'sum');
      const state = <T>(values: Record<string, T>) =>
        Object.fromEntries(Object.entries(values).filter(([name]) => isState(name)));
      onDevice = { ...fixed, ...state<mf.RunInput>(got) };
      onHost = { ...fixed, ...state(expected) };
    }
    const once = Object.entries(fixed).filter(([name]) => isState(name));
    const each = Object.entries(fixed).filter(([name]) => !isState(name));
    const bytes = (entries: typeof once) => entries.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
    expect(executable.counters.hostToDeviceBytes).toBe(bytes(once) + 3 * bytes(each));
    await executable.dispose();
  });

  test('stopped and begun again from what was read, it ends in the same bits', async () => {
    const traced = await mf.compile(await backend(), step, {
      state: Object.fromEntries(STATE.map((part) => [part, part])),
    });
    const fixed = startingInputs();
    const run = async (from: Record<string, mf.RunInput>, steps: number) => {
      let inputs = { ...fixed, ...from };
      for (let k = 0; k < steps; k++) {
        const outputs = await traced.executable.run(inputs);
        inputs = {
          ...fixed,
          ...Object.fromEntries(Object.entries(outputs).filter(([name]) => isState(name))),
        };
      }
      const read = Object.entries(inputs)
        .filter(([name]) => isState(name))
        .map(async ([name, value]) => [name, await (value as mf.DeviceArray).read()] as const);
      return Object.fromEntries(await Promise.all(read));
    };
    const straight = await run({}, 10);
    const resumed = await run(await run({}, 4), 6);
    for (const [name, { data }] of Object.entries(straight)) expect(resumed[name].data).toEqual(data);
    await traced.dispose();
  });
});
