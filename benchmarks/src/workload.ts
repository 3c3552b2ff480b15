/** A case's numbers: parameters that are non-zero everywhere, one batch and its draws, from one seed; in Node and in pages. */
import { HostArray, RandomKey, hostZeros, treeFlatten, type Tree } from '@meanflow/core';
import { createNetwork, createObjective, sinusoidalPositions, type ParameterSpec } from '@meanflow/models';
import { objectiveConfig, type Case } from './cases.js';

export type Arrays = Readonly<Record<string, HostArray<'float32'>>>;

export interface Workload {
  readonly params: Tree<HostArray>;
  /** x, noise, t and r of a train case; noise of a sample case; positions where the network has such. */
  readonly arrays: Arrays;
}

const SEED = 1;

/** @param options.zeros parameters of zeros, where only their shapes matter */
export function makeWorkload(
  benchmark: Case,
  { zeros = false }: { readonly zeros?: boolean } = {},
): Workload {
  const key = RandomKey.fromSeed(SEED);
  const network = createNetwork(benchmark.network);
  const params = parametersOf(network.specs, benchmark, zeros ? undefined : key.fold('params'));
  const shape = [benchmark.batch, ...network.featureShape];
  const positions = positionsOf(benchmark);
  if (benchmark.task === 'sample') {
    return { params, arrays: { noise: key.fold('noise').normal(shape), ...positions } };
  }
  const batch = { x: key.fold('x').normal(shape) };
  const objective = createObjective(objectiveConfig(benchmark.objective));
  const drawn = objective.draw({ key: key.fold('draws'), batch, step: 0, network });
  const { noise, t } = drawn;
  return { params, arrays: { ...batch, noise, t, r: everyRow(t, drawn.r), ...positions } };
}

/** r of every row: where there are fewer, they are the last rows', and the rows before have r = t. */
function everyRow(t: HostArray<'float32'>, r: HostArray<'float32'> = t.rows(0, 0)): HostArray<'float32'> {
  const data = Float32Array.from(t.data);
  data.set(r.data, t.size - r.size);
  return new HostArray('float32', t.shape, data);
}

/** Kernels of transformers normal(0.02), other ones by their inputs; biases and scales a little off what they start from. */
function parametersOf(
  specs: Tree<ParameterSpec>,
  { network }: Case,
  key: RandomKey | undefined,
): Tree<HostArray> {
  const { structure, leaves } = treeFlatten<ParameterSpec>(specs);
  const made = leaves.map(({ shape }, i) => {
    if (key === undefined) return hostZeros(shape);
    const path = structure.paths[i]!;
    const inputs = shape.length === 4 ? shape.slice(1).reduce((a, b) => a * b) : (shape[0] ?? 1);
    const deviation = shape.length < 2 || network.kind === 'dit' ? 0.02 : 1 / Math.sqrt(inputs);
    const center = path.endsWith('scale') ? 1 : 0;
    const { data } = key.fold(path).normal(shape);
    return new HostArray('float32', shape, data.map((value) => center + deviation * value)); // prettier-ignore
  });
  return structure.unflatten(made);
}

function positionsOf({ network }: Case): Arrays {
  if (network.kind !== 'dit') return {};
  const { featureShape: [rows = 0, columns = 0], patchSize, width } = network; // prettier-ignore
  return { positions: sinusoidalPositions(rows / patchSize, columns / patchSize, width).to('float32') };
}
