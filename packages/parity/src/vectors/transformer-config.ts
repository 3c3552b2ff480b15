/**
 * The networks and objectives of the transformer cases, from the configuration in a case's JSON: the fields of the published
 * code, with its defaults where a case leaves one out.
 */
import { DataError } from '@meanflow/core';
import type { ImprovedMeanFlowConfig, MeanFlowConfig, NetworkConfig } from '@meanflow/models';
import { at, numberOr, type ParityCase } from './parity-case.js';

/** Whose network: MeanFlow's, improved MeanFlow's or pixel MeanFlow's. */
export type TransformerFamily = 'mf' | 'imf' | 'pmf';

/** Blocks that a case may ask for; the deepest published network has 48. */
const MOST_BLOCKS = 1000;

/** With everything that training needs, or as published for sampling. */
export type NetworkForm = 'training' | 'sampling';

/** @throws {DataError} when a field is not what it should be */
export function transformerConfig(
  family: TransformerFamily,
  given: ParityCase,
  form: NetworkForm = 'training',
): NetworkConfig {
  const field = (name: string, fallback: number) => numberOr(given, fallback, 'config', name);
  const size = field('input_size', family === 'pmf' ? 256 : 32);
  const shared = {
    featureShape: [size, size, field('in_channels', family === 'pmf' ? 3 : 4)],
    patchSize: field('patch_size', family === 'pmf' ? 16 : 2),
    width: field('hidden_size', family === 'mf' ? 1152 : 768),
    depth: checkedDepth(given, field('depth', { mf: 28, imf: 12, pmf: 16 }[family])),
    heads: field('num_heads', family === 'mf' ? 16 : 12),
    mlpRatio: mlpRatio(given, family === 'mf' ? 4 : 8 / 3),
    classCount: field('num_classes', 1000),
  };
  if (family === 'mf') return { kind: 'dit', ...shared };
  const headDepth = field('aux_head_depth', 8);
  const inContext = {
    ...shared,
    headDepth,
    tokens: {
      label: field('num_class_tokens', 8),
      omega: field('num_cfg_tokens', 4),
      interval: field('num_interval_tokens', 2),
      time: field('num_time_tokens', 4),
    },
  };
  const training = { ...inContext, velocityHead: { depth: headDepth } };
  if (family === 'imf') {
    return {
      kind: 'imf-dit',
      ...(form === 'training' ? training : { ...inContext, velocityHead: { depth: 0 } }),
    };
  }
  const noiseScale = numberOr(given, 1, 'method', 'noise_scale');
  return { kind: 'pmf-dit', ...(form === 'training' ? training : inContext), noiseScale };
}

/** @throws {DataError} when nobody could mean it: every block is described before the file is asked whether it has it */
function checkedDepth({ name }: ParityCase, depth: number): number {
  if (depth <= MOST_BLOCKS) return depth;
  throw new DataError(`${name}.json: "config.depth" is at most ${MOST_BLOCKS}, got ${depth}.`);
}

/** A number, or a text that begins with one or with a fraction, such as `8/3 (hidden = …)`. */
function mlpRatio({ name, facts }: ParityCase, fallback: number): number {
  const value = at(facts, ['config', 'mlp_ratio']);
  if (value === undefined) return fallback;
  if (typeof value === 'number') return value;
  const match = /^\s*([\d.]+)(?:\s*\/\s*([\d.]+))?/.exec(String(value));
  if (match === null) {
    throw new DataError(
      `${name}.json: "config.mlp_ratio" must be a number or a fraction, got ${String(value)}.`,
    );
  }
  return Number(match[1]) / Number(match[2] ?? 1);
}

/** The objective of MeanFlow as a case has it; intervals and noise are given, so no sampler is named. */
export function meanFlowMethod(given: ParityCase): MeanFlowConfig {
  const field = (name: string, fallback: number) => numberOr(given, fallback, 'method', name);
  const guidance = {
    omega: field('omega', 1),
    kappa: field('kappa', 0.5),
    start: field('t_start', 0),
    end: field('t_end', 1),
  };
  // Left out it is the published default; null, an empty text and `none` are no guidance.
  const equation = at(given.facts, ['method', 'guidance_eq']);
  const isGuided = equation === undefined || equation === 'cfg';
  return { kind: 'meanflow', weight: weight(given), ...(isGuided ? { guidance } : {}) };
}

/** The objective of improved and pixel MeanFlow as a case has it. */
export function improvedMeanFlowMethod(given: ParityCase): ImprovedMeanFlowConfig {
  return { kind: 'improved-meanflow', weight: weight(given), guidance: {}, tangent: 'velocity-head' };
}

function weight(given: ParityCase) {
  return {
    power: numberOr(given, 1, 'method', 'norm_p'),
    epsilon: numberOr(given, 0.01, 'method', 'norm_eps'),
  };
}
