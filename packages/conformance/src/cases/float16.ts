/**
 * float16, against the interpreter and against float32: what is stored, the ends of its range, products and sums, a state that
 * stays on the device, and a small network's sample and train steps in mixed precision. A device that refuses such graphs,
 * naming float16, is not asked further.
 */
import {
  add,
  autocast,
  BackendError,
  cast,
  compile,
  div,
  full,
  isFinite,
  layerNorm,
  matmul,
  maximum,
  mul,
  reshape,
  slice,
  spec,
  sub,
  sum,
  trace,
  transpose,
  treeMap,
  treeRecord,
  valueAndGrad,
  where,
  type Backend,
  type CompileOptions,
  type DeviceArray,
  type Graph,
  type HostArray,
  type RunInput,
  type Tensor,
} from '@meanflow/core';
import { interpret, roundToHalf } from '@meanflow/core/backend';
import { largestMagnitude } from '../numerics/magnitude.js';
import type { NamedArrays } from '../numerics/tolerance.js';
import { behaviour, expect, runAndRead } from './behaviour.js';
import type { Aspect, BehaviourCase, Feature, Finding } from './case.js';
import { traceFlat, type TensorFunction } from './build.js';
import { f32, floats, normals } from './inputs.js';
import {
  batchOf,
  initialParams,
  initialState,
  loss,
  scalarsOf,
  updated,
  velocity,
  type Batch,
  type Params,
  type Scalars,
  type State,
} from './train-step.js';

/** The smallest normal number; what is smaller may be flushed to zero. */
const SMALLEST_NORMAL = 2 ** -14;
/** Between two neighbours below it. */
const LEAST = 2 ** -24;
/** The distance of two neighbours, relative to the smaller: a result may be either of those that the exact one lies between. */
const ULP = 2 ** -10;
/** How far samples and losses may be from float32's, relative to the largest: some ten roundings of float16. */
const MIXED_TOLERANCE = 0.005;
/** What the loss is multiplied by for its gradient. */
const LOSS_SCALE = 2 ** 10;
const STEPS = 5;

/** All of them. */
export function float16Cases(): BehaviourCase[] {
  return [...storageCases(), ...arithmeticCases(), ...productCases(), ...stateCases(), ...mixedCases()];
}

/** A case that asks whether a graph's results are those of the interpreter, as float16 has them. */
function halfCase(
  variant: string,
  f: TensorFunction,
  inputs: () => readonly HostArray[],
  features: readonly Feature[] = [],
): BehaviourCase {
  return float16Case('values', variant, features, async (backend) => {
    const named = Object.fromEntries(inputs().map((array, i) => [`x${i}`, array]));
    const graph = halfGraph(f, named);
    return withGraph(backend, graph, {}, async (run) =>
      compareHalves(graph, await run(named), interpret(graph, named)),
    );
  });
}

function float16Case(
  aspect: Aspect,
  variant: string,
  features: readonly Feature[],
  check: (backend: Backend) => Promise<Finding>,
): BehaviourCase {
  return behaviour('float16', aspect, variant, check, ['float16', ...features]);
}

/** `f` of inputs that are float16. */
function halfGraph(f: TensorFunction, inputs: NamedArrays): Graph {
  const names = Object.keys(inputs);
  return trace(
    (given: Readonly<Record<string, Tensor>>) => [f(...names.map((name) => given[name]!))].flat() as Tensor[],
    Object.fromEntries(names.map((name) => [name, spec(inputs[name]!.shape, 'float16')])),
    { name: 'float16' },
  ).graph;
}

type Run = (inputs: NamedArrays) => Promise<Record<string, HostArray>>;

/** Compiles and uses a graph; why it is refused, where that names float16. */
async function withGraph(
  backend: Backend,
  graph: Graph,
  options: CompileOptions,
  use: (run: Run) => Promise<Finding>,
): Promise<Finding> {
  return unlessRefused(async () => {
    await using executable = await backend.compile(graph, options);
    return await use((inputs) => runAndRead(executable, inputs));
  });
}

/** What it finds, or the reason where a device refuses float16, without the name of the graph. */
async function unlessRefused(use: () => Promise<Finding>): Promise<Finding> {
  try {
    return await use();
  } catch (error) {
    const reason = error instanceof BackendError ? /float16: (.*)$/s.exec(error.message)?.[1] : undefined;
    if (reason === undefined) throw error;
    return { unsupported: `float16: ${reason}` };
  }
}

/** The worst distance in units of what float16 allows. */
function compareHalves(graph: Graph, got: NamedArrays, wanted: NamedArrays): Finding {
  let worst: { readonly worst: number; readonly detail?: string } = { worst: 0 };
  for (const { name, value } of graph.outputs) {
    const isHalf = graph.types[value]!.dtype === 'float16';
    const [found, exact] = [got[name]!, wanted[name]!];
    for (let i = 0; i < exact.size; i++) {
      const [x, y] = [found.data[i]!, exact.data[i]!];
      expect(
        !isHalf || Object.is(roundToHalf(x), x),
        `output "${name}", element ${i}: ${x} is no float16 number.`,
      );
      const units = distance(x, y);
      if (units > worst.worst) {
        worst = { worst: units, detail: `output "${name}", element ${i}: got ${x}, expected ${y}` };
      }
    }
  }
  return worst;
}

function distance(got: number, wanted: number): number {
  if (Object.is(got + 0, wanted + 0)) return 0;
  const size = Math.abs(wanted);
  if (size < SMALLEST_NORMAL) return got === 0 ? 0 : Math.abs(got - wanted) / LEAST;
  const units = Math.abs(got - wanted) / (ULP * size);
  return Number.isFinite(units) ? units : Infinity;
}

/** Numbers at the ends of the range, between neighbours and in the middle of two. */
const SPECIAL = [
  ...[0, -0, 1, -1 / 3, 2049, 2051, 65504, -65504, 65519, 65520, -65520, 1e6],
  ...[SMALLEST_NORMAL, 6e-8, -6e-8, LEAST / 2, 3e-6, NaN, Infinity, -Infinity],
];
const special = () => [f32(SPECIAL)];
const ENDS: readonly Feature[] = ['nan', 'infinity', 'denormal', 'signed-zero', 'overflow'];

function storageCases(): BehaviourCase[] {
  return [
    halfCase('inputs are rounded', (x) => [x, cast(x, 'float32')], special, ENDS),
    float16Case('values', 'a cast rounds', ENDS, async (backend) => {
      const named = { x0: f32(SPECIAL) };
      const graph = traceFlat('float16', (x) => [cast(x, 'float16'), cast(cast(x, 'float16'), 'float32')], named);
      return withGraph(backend, graph, {}, async (run) =>
        compareHalves(graph, await run(named), interpret(graph, named)),
      );
    }),
    float16Case('values', 'constants are rounded, and read by every run', [], async (backend) => {
      const [x, w] = [floats([3, 4], -2, 2, 'x'), floats([4, 2], -2, 2, 'w')];
      const graph = halfGraph((a, b) => [matmul(a, b), b], { x0: x, x1: w });
      const wanted = interpret(graph, { x0: x, x1: w });
      return withGraph(backend, graph, { constants: { x1: w } }, async (run) => {
        const [first, second] = [await run({ x0: x }), await run({ x0: x })];
        const found = compareHalves(graph, first, wanted);
        return found.worst === 0 ? compareHalves(graph, second, wanted) : found;
      });
    }),
    halfCase('elements are moved', (x) => [transpose(x), slice(reshape(x, [2, 6]), [0, 2], [1, 6])], () => [floats([3, 4])]),
  ]; // prettier-ignore
}

function arithmeticCases(): BehaviourCase[] {
  const large = () => [f32([65504, 65504, -65504, 32768, 60000]), f32([8, 16, -16, 32768, -60000])];
  return [
    halfCase('sums that leave the range are infinite', (x, y) => [add(x, y), sub(x, y)], large, ['overflow']),
    halfCase(
      'products of factors that leave the range, above and below',
      (x, y) => mul(x, y),
      () => [f32([255, 256, -300, 1e-3, 2 ** -14, 3e-5, 0]), f32([257, 255, 300, 1e-3, 0.5, 1e-4, 65504])],
      ['overflow', 'denormal'],
    ),
    halfCase('quotients', (x, y) => div(x, y), () => [f32([1, 2, 65504, 1, 0]), f32([3, 7, 0.5, 65504, 3])], ['overflow']),
    halfCase(
      'NaN and infinities are seen, and chosen away',
      (x) => [cast(isFinite(x), 'float32'), where(isFinite(x), x, 1), maximum(where(isFinite(x), x, 0), 0.25)],
      special,
      ENDS,
    ),
  ]; // prettier-ignore
}

function productCases(): BehaviourCase[] {
  const ones = (shape: readonly [number, number]) =>
    f32(new Array<number>(shape[0] * shape[1]).fill(1), shape);
  return [
    halfCase('products of matrices', (x, y) => matmul(x, y), () => [floats([5, 7], -2, 2, 'x'), floats([7, 3], 0, 2, 'y')]),
    // 2048 + 1 is 2048 in float16: what adds in it stays there.
    halfCase('sums of many products are rounded once', (x, y) => matmul(x, y), () => [ones([2, 4095]), ones([4095, 2])]),
    halfCase('sums of many numbers are rounded once', (x) => sum(x, 1), () => [ones([2, 4095])]),
    halfCase(
      'products may leave the range within a sum',
      (x, y) => matmul(x, y),
      () => [f32([300, 300, 1, 200, 200, 200], [2, 3]), f32([300, -300, 7, 300, 300, -300], [3, 2])],
      ['overflow'],
    ),
    halfCase(
      'a product with what is not finite',
      (x, y) => matmul(x, y),
      () => [f32([NaN, 1, Infinity, 1, 1, 1], [3, 2]), f32([1, 2, 0.5, 1], [2, 2])],
      ['nan', 'infinity'],
    ),
  ]; // prettier-ignore
}

function stateCases(): BehaviourCase[] {
  return [
    float16Case('state', 'a state is what was read of it', [], async (backend) => {
      const x = floats([64]);
      const graph = halfGraph((state) => add(mul(state, 0.75), 0.1), { state: x });
      return unlessRefused(async () => {
        await using executable = await backend.compile(graph, { state: { state: '0' } });
        let [kept, read]: [RunInput, HostArray] = [x, x];
        for (let i = 0; i < 3; i++) {
          ({ 0: kept } = await executable.run({ state: kept }) as { 0: DeviceArray });
          read = (await runAndRead(executable, { state: read }))['0']!;
        }
        const found = await (kept as DeviceArray).read();
        (kept as DeviceArray).dispose();
        found.data.forEach((value, i) =>
          expect(value === read.data[i], `element ${i} is ${value}, and ${read.data[i]} by way of the host.`),
        );
        return {};
      });
    }),
  ]; // prettier-ignore
}

function mixedCases(): BehaviourCase[] {
  return [
    float16Case('composites', 'a norm of activations whose squares leave the range', ['overflow'], async (backend) => {
      const named = { x: floats([4, 8], 100, 200, 'x'), w: floats([8, 16], -20, 20, 'w') };
      const f = (x: Tensor, w: Tensor) => layerNorm(matmul(x, w));
      return nearFloat32(backend, f, named);
    }),
    float16Case('sampling', 'a sample of a small network is float32’s, nearly', [], async (backend) => {
      const named = { ...treeRecord<HostArray>(initialParams('params')), z: normals([16, 2]) };
      const f = (bias: Tensor, head: Tensor, kernel: Tensor, z: Tensor) => {
        const times = (time: number) => full([16, 1], time);
        return sub(z, velocity({ bias, head, kernel }, z, times(0), times(1)));
      };
      return nearFloat32(backend, f, named);
    }),
    float16Case('training', `${STEPS} train steps are float32’s, nearly`, [], (backend) =>
      unlessRefused(async () => {
        const half = await trained(backend, true);
        return nearly(half, await trained(backend, false));
      }),
    ),
  ]; // prettier-ignore
}

/** `f` in mixed precision on the backend, against `f` by the interpreter. */
async function nearFloat32(backend: Backend, f: TensorFunction, inputs: NamedArrays): Promise<Finding> {
  const exact = traceFlat('float16', f, inputs);
  const mixed = traceFlat('float16', (...given) => autocast((xs: readonly Tensor[]) => f(...xs) as Tensor)(given), inputs);
  return withGraph(backend, mixed, {}, async (run) => nearly(await run(inputs), interpret(exact, inputs)));
} // prettier-ignore

/** The farthest of all arrays, in units of the tolerance; each relative to its largest element. */
function nearly(got: NamedArrays, wanted: NamedArrays): Finding {
  let worst: { readonly worst: number; readonly detail?: string } = { worst: 0 };
  for (const [name, array] of Object.entries(wanted)) {
    const { data } = array;
    const largest = largestMagnitude(array);
    for (let i = 0; i < data.length; i++) {
      const x = got[name]!.data[i]!;
      const units = Math.abs(x - data[i]!) / (MIXED_TOLERANCE * largest);
      const measured = Number.isFinite(units) ? units : Infinity;
      if (measured > worst.worst) {
        worst = { worst: measured, detail: `"${name}", element ${i}: got ${x}, and ${data[i]} in float32` };
      }
    }
  }
  return worst;
}

interface StepInput<L> {
  readonly state: State<L>;
  readonly batch: Batch<L>;
  readonly scalars: Scalars<L>;
}

/** Losses and parameters of some train steps, whose products are in float16 with a scaled loss, or are not. */
async function trained(backend: Backend, isHalf: boolean): Promise<NamedArrays> {
  const scale = isHalf ? LOSS_SCALE : 1;
  const evaluated = (params: Params<Tensor>, batch: Batch<Tensor>) => loss(params, batch);
  const mixed = isHalf ? autocast(evaluated) : evaluated;
  const step = ({ state, batch, scalars }: StepInput<Tensor>) => {
    const scaled = (params: Params<Tensor>) => mul(mixed(params, batch), scale);
    const [value, gradients] = valueAndGrad(scaled)(state.params);
    const unscaled = treeMap((gradient: Tensor): Tensor => div(gradient, scale), gradients);
    return { state: updated(state, unscaled, scalars), loss: div(value, scale) };
  };
  const input = { state: initialState(), batch: batchOf(0), scalars: scalarsOf(0) };
  await using program = await compile(backend, trace(step, input, { name: 'train step in float16' }), {
    state: { state: 'state' },
  });
  const found: Record<string, HostArray> = {};
  let state: State<RunInput> = initialState();
  for (let i = 0; i < STEPS; i++) {
    const made = await program.run({ state, batch: batchOf(i), scalars: scalarsOf(i) });
    found[`loss ${i}`] = await made.loss.read();
    made.loss.dispose();
    ({ state } = made);
  }
  for (const [name, array] of Object.entries(state.params)) {
    if ('read' in array) found[name] = await array.read();
  }
  for (const part of Object.values(state) as Params<RunInput>[]) {
    for (const array of Object.values(part)) if ('dispose' in array) array.dispose();
  }
  return found;
}
