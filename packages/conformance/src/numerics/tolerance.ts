/**
 * What a backend must return for a graph, and how far from it float32 may lie. One rounding has its bound in the table.
 * Several are followed through the graph by experiment: the largest deviation in {@link SAMPLES} runs with random roundings
 * at their bounds, times {@link SAFETY}. Real roundings are smaller than their bounds, by √3 in the root mean square if
 * evenly distributed, so a tolerance is between two and seven standard deviations of a sound implementation's error.
 */
import { type HostArray, RandomKey, type Graph } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { drawRoundings, roundedGraph } from './rounded-graph.js';

/** Runs with random roundings, for graphs that round more than once. */
export const SAMPLES = 16;
/** The factor on the largest deviation seen. */
export const SAFETY = 2;
/**
 * Denormal results may be flushed to zero, as WGSL and CUDA's fast modes allow: the smallest normal number is added to
 * every tolerance of a float.
 */
export const SMALLEST_NORMAL = 2 ** -126;

/** The exact value of an output, and how far a float32 result may be from it. */
export interface Expectation {
  readonly value: HostArray;
  /** One for each element. */
  readonly tolerance: Float64Array;
}

/** Arrays by name. */
export type NamedArrays = Readonly<Record<string, HostArray>>;

/**
 * The outputs of a graph, and their tolerances.
 *
 * @param known exact values that were found in another way than by interpreting the graph
 */
export function expectations(
  graph: Graph,
  inputs: NamedArrays,
  known?: NamedArrays,
): Readonly<Record<string, Expectation>> {
  const interpreted = interpret(graph, inputs);
  const largest = deviations(graph, inputs, interpreted);
  return Object.fromEntries(
    Object.entries(interpreted).map(([name, value]) => {
      const floor = value.dtype === 'float64' ? SMALLEST_NORMAL : 0;
      const tolerance = largest[name]!.map((deviation) => deviation + floor);
      return [name, { value: known?.[name] ?? value, tolerance }];
    }),
  );
}

function deviations(graph: Graph, inputs: NamedArrays, exact: NamedArrays): Record<string, Float64Array> {
  const rounded = roundedGraph(graph);
  const largest = Object.fromEntries(
    Object.entries(exact).map(([name, { size }]) => [name, new Float64Array(size)]),
  );
  const isSingle = rounded.sites.length <= 1;
  const samples = rounded.sites.length === 0 ? 0 : isSingle ? 1 : SAMPLES;
  const safety = isSingle ? 1 : SAFETY;
  const key = RandomKey.fromSeed(0).fold('tolerance');
  for (let sample = 0; sample < samples; sample++) {
    const roundings = drawRoundings(rounded.sites, key.fold(sample));
    const outputs = interpret(rounded.graph, { ...inputs, ...roundings });
    for (const [name, deviation] of Object.entries(largest)) {
      const [got, wanted] = [outputs[name]!.data, exact[name]!.data];
      for (let i = 0; i < deviation.length; i++) {
        const distance = safety * Math.abs(got[i]! - wanted[i]!);
        // NaN and infinities are compared for equality; they have no tolerance.
        if (distance > deviation[i]!) deviation[i] = distance;
      }
    }
  }
  return largest;
}
