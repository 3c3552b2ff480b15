/**
 * Train steps of `train-step.ts`, against the float64 reference: as one graph on a state that stays on the device, with a
 * teacher that is an average of the state or a frozen network, whose arrays many runs are lent; with a batch in parts, whose
 * gradients one executable adds up and another uses; and begun again from what was read.
 */
import {
  add,
  compile,
  hostArray,
  mul,
  trace,
  treeFlatten,
  treeMap,
  treeRecord,
  treeZipMap,
  type Backend,
  type DeviceArray,
  type HostArray,
  type MapLeaves,
  type RunInput,
  type Tensor,
  type Tree,
  type TreeOf,
} from '@meanflow/core';
import type { NamedArrays } from '../numerics/tolerance.js';
import { behaviour, expectValues, holdsMoreThanFloat32 } from './behaviour.js';
import type { BehaviourCase, Finding } from './case.js';
import { compareOutcome, driftOracle, type Procedure } from './drift.js';
import {
  batchOf,
  initialParams,
  initialState,
  lossAndGradient,
  partOf,
  scalarsOf,
  updated,
  zeroParams,
  type Batch,
  type Params,
  type Scalars,
  type State,
} from './train-step.js';

const STEPS = 10;
const PARTS = 4;

/** All of them. */
export function trainingCases(): BehaviourCase[] {
  const of = (variant: string, procedure: Procedure): BehaviourCase => {
    const oracle = driftOracle(procedure);
    return behaviour('train step', 'training', `of a program, ${variant}`, async (backend) =>
      compareOutcome(await procedure(backend), await oracle()),
    );
  };
  return [
    of(`${STEPS} steps`, (backend) => train(backend)),
    of(`${STEPS} steps with an average as teacher`, (backend) => train(backend, 'average')),
    of(`${STEPS} steps with a frozen teacher`, (backend) => train(backend, 'frozen')),
    of(`${STEPS} steps, each of a batch in ${PARTS} parts`, trainInParts),
    behaviour(
      'train step',
      'training',
      'of a program, begun again from what was read, ends in the same bits',
      resumption,
    ),
  ];
}

/** What u is drawn to beside MeanFlow's target. */
type Teacher = 'none' | 'average' | 'frozen';

interface StepInput<L> {
  readonly state: State<L>;
  readonly frozen: Params<L> | undefined;
  readonly batch: Batch<L>;
  readonly scalars: Scalars<L>;
}

function compileStep(backend: Backend, teacher: Teacher) {
  const step = ({ state, frozen, batch, scalars }: StepInput<Tensor>) => {
    const teachers = { none: undefined, average: state.average, frozen };
    const [loss, gradients] = lossAndGradient(state.params, batch, teachers[teacher]);
    return { state: updated(state, gradients, scalars), loss };
  };
  const input: StepInput<HostArray> = {
    state: initialState(),
    frozen: teacher === 'frozen' ? initialParams('teacher') : undefined,
    ...dataOf(0),
  };
  return compile(backend, trace(step, input, { name: 'train step' }), { state: { state: 'state' } });
}

const dataOf = (step: number) => ({ batch: batchOf(step), scalars: scalarsOf(step) });

/** Makes steps on a state, which they consume; the losses are added to a list. */
async function advance(
  { run }: Awaited<ReturnType<typeof compileStep>>,
  given: State<RunInput>,
  steps: { readonly from: number; readonly to: number },
  { frozen, losses = [] }: { readonly frozen?: Params<DeviceArray>; readonly losses?: number[] } = {},
): Promise<State<RunInput>> {
  let state = given;
  for (let step = steps.from; step < steps.to; step++) {
    const { loss, ...next } = await run({ state, frozen, ...dataOf(step) });
    losses.push(await readScalar(loss));
    ({ state } = next);
  }
  return state;
}

async function train(backend: Backend, teacher: Teacher = 'none'): Promise<NamedArrays> {
  await using program = await compileStep(backend, teacher);
  const frozen = teacher === 'frozen' ? await placed(backend, initialParams('teacher')) : undefined;
  const losses: number[] = [];
  const state = await advance(
    program,
    initialState(),
    { from: 0, to: STEPS },
    { losses, ...(frozen && { frozen }) },
  );
  return { loss: hostArray(losses), ...(await readAll({ state, frozen })) };
}

/** A tree on the device, put there by a graph that hands on what it is given. */
async function placed(backend: Backend, params: Params<HostArray>): Promise<Params<DeviceArray>> {
  await using program = await compile(
    backend,
    trace((given: Params<Tensor>) => given, params, { name: 'placed' }),
  );
  return await program.run(params);
}

/** The gradients of each batch are the mean over its parts, added up on the device; the update leaves zeros in their place. */
async function trainInParts(backend: Backend): Promise<NamedArrays> {
  await using gradients = await compile(
    backend,
    trace(
      ({ params, sum, batch }: { params: Params<Tensor>; sum: Params<Tensor>; batch: Batch<Tensor> }) => {
        const [loss, gradient] = lossAndGradient(params, batch);
        return {
          loss,
          sum: treeZipMap('sum', (total: Tensor, g: Tensor) => add(total, mul(g, 1 / PARTS)), sum, gradient),
        };
      },
      { params: zeroParams(), sum: zeroParams(), batch: partOf(0, 0, PARTS) },
      { name: 'gradients of a part' },
    ),
    { state: { sum: 'sum' } },
  );
  await using update = await compile(
    backend,
    trace(
      ({ state, sum, scalars }: { state: State<Tensor>; sum: Params<Tensor>; scalars: Scalars<Tensor> }) => ({
        state: updated(state, sum, scalars),
        sum: treeMap((total: Tensor) => mul(total, 0), sum),
      }),
      { state: initialState(), sum: zeroParams(), scalars: scalarsOf(0) },
      { name: 'update' },
    ),
    { state: { state: 'state', sum: 'sum' } },
  );
  let state: State<RunInput> = initialState();
  let sum: Params<RunInput> = zeroParams();
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    for (let part = 0; part < PARTS; part++) {
      const made = await gradients.run({ params: state.params, sum, batch: partOf(step, part, PARTS) });
      losses.push(await readScalar(made.loss));
      ({ sum } = made);
    }
    ({ state, sum } = await update.run({ state, sum, scalars: scalarsOf(step) }));
  }
  return { loss: hostArray(losses), ...(await readAll({ state, sum })) };
}

/** Six steps, against three, a state that goes through the host, and three. */
async function resumption(backend: Backend): Promise<Finding> {
  if (await holdsMoreThanFloat32(backend)) {
    return { unsupported: 'its state is more exact than the float32 that it is read as' };
  }
  await using program = await compileStep(backend, 'none');
  const straight = await readAll(await advance(program, initialState(), { from: 0, to: 6 }));
  const half = await advance(program, initialState(), { from: 0, to: 3 });
  const again = await readTree(half);
  const resumed = await readAll(await advance(program, again, { from: 3, to: 6 }));
  for (const [name, { data }] of Object.entries(straight)) expectValues(name, resumed[name]!, [...data]);
  return {};
}

async function readScalar(array: DeviceArray): Promise<number> {
  const value = (await array.read()).item();
  array.dispose();
  return value;
}

/** A tree on the host; what of it was on the device is disposed of. */
async function readTree<T extends TreeOf<T, RunInput>>(tree: T): Promise<MapLeaves<T, RunInput, HostArray>> {
  const { leaves, structure } = treeFlatten(tree as Tree<RunInput>);
  const read: HostArray[] = [];
  for (const leaf of leaves) {
    read.push('read' in leaf ? await leaf.read() : leaf);
    if ('dispose' in leaf) leaf.dispose();
  }
  return structure.unflatten<HostArray, MapLeaves<T, RunInput, HostArray>>(read);
}

const readAll = async <T extends TreeOf<T, RunInput>>(tree: T): Promise<NamedArrays> =>
  treeRecord((await readTree(tree)) as Tree<HostArray>);
