/**
 * Training in core's own words: a perceptron for the average velocity u(z, r, t), MeanFlow's loss on it, with a JVP in the
 * network and gradients through it, Adam, and an average of the parameters. It is what training asks of a backend, without a
 * package that trains.
 */
import {
  add,
  adamUpdate,
  concat,
  HostArray,
  hostZeros,
  jvp,
  matmul,
  mean,
  mul,
  RandomKey,
  silu,
  square,
  stopGradient,
  sub,
  valueAndGrad,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { scalar } from './behaviour.js';

const ROWS = 16;
const WIDTH = 24;
const SHAPES = { kernel: [4, WIDTH], bias: [WIDTH], head: [WIDTH, 2] } as const satisfies Record<
  string,
  Shape
>;

/** Something for each parameter. */
export type Params<L> = Readonly<Record<keyof typeof SHAPES, L>>;

const forEach = <L>(make: (name: keyof typeof SHAPES) => L): Params<L> => ({
  kernel: make('kernel'),
  bias: make('bias'),
  head: make('head'),
});

/** What a step replaces: parameters, Adam's moments as `adamUpdate` keeps them, and the average. */
export interface State<L> {
  readonly params: Params<L>;
  readonly mean: Params<L>;
  readonly variance: Params<L>;
  readonly average: Params<L>;
}

/** What a step is made on: data and noise `[rows, 2]`, and times r ≤ t `[rows, 1]`. */
export type Batch<L> = Readonly<Record<'x' | 'e' | 'r' | 't', L>>;

/** What of Adam depends on the number of the step. */
export type Scalars<L> = Readonly<Record<'stepSize' | 'epsilon', L>>;

/** The average velocity `[rows, 2]`. */
export function velocity({ kernel, bias, head }: Params<Tensor>, z: Tensor, r: Tensor, t: Tensor): Tensor {
  const features = concat([z, t, sub(t, r)], 1);
  return matmul(silu(add(matmul(features, kernel), bias)), head);
}

/** MeanFlow: u is drawn to v − (t − r)·du/dt, with v = e − x, and the derivative of u along (v, 0, 1); and to a teacher's u. */
export function loss(
  params: Params<Tensor>,
  { x, e, r, t }: Batch<Tensor>,
  teacher?: Params<Tensor>,
): Tensor {
  const z = add(mul(sub(1, t), x), mul(t, e));
  const v = sub(e, x);
  const along = (...at: [z: Tensor, r: Tensor, t: Tensor]) => velocity(params, ...at);
  const [u, rate] = jvp(along, [z, r, t], [v, 0, 1]);
  const target = stopGradient(sub(v, mul(sub(t, r), rate)));
  const own = mean(square(sub(u, target)));
  return teacher === undefined ? own : add(own, mean(square(sub(u, velocity(teacher, z, r, t)))));
}

/** The loss and its gradient in the parameters; the teacher is held fixed. */
export const lossAndGradient = valueAndGrad(loss);

/** The state after an update. */
export function updated(
  { params, mean, variance, average }: State<Tensor>,
  gradients: Params<Tensor>,
  scalars: Scalars<Tensor>,
): State<Tensor> {
  const adam = forEach((name) =>
    adamUpdate(
      { gradient: gradients[name], mean: mean[name], variance: variance[name], ...scalars },
      { beta1: 0.9, beta2: 0.95 },
    ),
  );
  const next = forEach((name) => add(params[name], adam[name].update));
  return {
    params: next,
    mean: forEach((name) => adam[name].mean),
    variance: forEach((name) => adam[name].variance),
    average: forEach((name) => add(mul(average[name], 0.9), mul(next[name], 0.1))),
  };
}

const root = RandomKey.fromSeed(20_261_130);

/** Parameters of one of several networks. */
export const initialParams = (stream: string): Params<HostArray> =>
  forEach((name) => root.fold(stream).fold(name).uniform(SHAPES[name], -0.5, 0.5));

/** Zeros in the form of the parameters. */
export const zeroParams = (): Params<HostArray> => forEach((name) => hostZeros(SHAPES[name]));

export const initialState = (): State<HostArray> => ({
  params: initialParams('params'),
  mean: zeroParams(),
  variance: zeroParams(),
  average: initialParams('params'),
});

/** The batch of step `step`. */
export function batchOf(step: number): Batch<HostArray<'float32'>> {
  const key = root.fold('batch').fold(step);
  const t = key.fold('t').uniform([ROWS, 1]);
  const share = key.fold('r').uniform([ROWS, 1]);
  return {
    x: key.fold('x').normal([ROWS, 2]),
    e: key.fold('e').normal([ROWS, 2]),
    r: new HostArray(
      'float32',
      [ROWS, 1],
      t.data.map((time, i) => time * share.data[i]!),
    ),
    t,
  };
}

/** One of so many equal parts of it. */
export function partOf(step: number, part: number, parts: number): Batch<HostArray> {
  const { x, e, r, t } = batchOf(step);
  const rows = ROWS / parts;
  const cut = ({ shape: [, columns = 1], data }: HostArray<'float32'>) =>
    new HostArray('float32', [rows, columns], data.slice(part * rows * columns, (part + 1) * rows * columns));
  return { x: cut(x), e: cut(e), r: cut(r), t: cut(t) };
}

/** Those of step `step`, which counts from 0: Adam at a rate of 0.01. */
export function scalarsOf(step: number): Scalars<HostArray> {
  const [first, second] = [0.1 / (1 - 0.9 ** (step + 1)), 0.05 / (1 - 0.95 ** (step + 1))];
  return { stepSize: scalar((-0.01 * first) / Math.sqrt(second)), epsilon: scalar(1e-8 / Math.sqrt(second)) };
}
