/** The cases `*-sampler`: (t, r), guidance scale and interval from given normals and uniforms. */
import { DataError, HostArray } from '@meanflow/core';
import type { IntervalSampler, Times } from '@meanflow/samplers';
import { guidanceFromRaw, intervalsFromRaw } from '@meanflow/samplers/draws';
import { compareOutputs } from './compare-outputs.js';
import { numberOf, tensorOf, textOf, type ParityCase, type ParityRunner } from './parity-case.js';
import { tolerances } from './tolerances.js';

const floats = (given: ParityCase, name: string): Times => tensorOf(given, name).to('float32');
const logitNormal = (mean: number, std: number) => ({ kind: 'logit-normal', mean, std }) as const;

/** MeanFlow's sampler. */
export const meanFlowSampler: ParityRunner = async (given) => {
  const { t, r } = intervalsFromRaw(publishedIntervals(given), normals(given));
  return compareOutputs(given, { t, r }, tolerances.host);
};

/** That of improved MeanFlow, with guidance conditions. */
export const improvedMeanFlowSampler: ParityRunner = async (given) => guidedSampler(given, 'ordered');

/** That of pixel MeanFlow, whose rows with r = t keep the first time as drawn. */
export const pixelMeanFlowSampler: ParityRunner = async (given) => guidedSampler(given, 'drawn');

/** The samplers v0 and v1 of the CIFAR-10 code: a coin for each row, t and r from distributions that the case names. */
export const unetSampler: ParityRunner = async (given) => {
  const equalShare = 1 - numberOf(given, 'ratio');
  const raw = { ...normals(given), coin: floats(given, 'in/uniform') };
  const shared = { equalShare, equalRows: 'coin' } as const;
  const [v0, v1] = [distributions(given, 'v0'), distributions(given, 'v1')];
  const first = intervalsFromRaw({ ...v0, ...shared }, raw);
  const second = intervalsFromRaw({ ...v1, ...shared, order: 'clamp' }, raw);
  return compareOutputs(
    given,
    { t_v0: first.t, r_v0: first.r, t_v1: second.t, r_v1: second.r },
    tolerances.host,
  );
};

function guidedSampler(given: ParityCase, equalTime: 'ordered' | 'drawn') {
  const { t, r, equal } = intervalsFromRaw({ ...publishedIntervals(given), equalTime }, normals(given));
  // The recorded draws are already scaled to [0, ½) and [½, 1); in float32 that is undone exactly.
  const raw = {
    omega: floats(given, 'in/uniform_omega'),
    tMin: mapped(floats(given, 'in/uniform_t_min_0_05'), (x) => 2 * x),
    tMax: mapped(floats(given, 'in/uniform_t_max_05_1'), (x) => 2 * x - 1),
  };
  const maxScale = 1 + numberOf(given, 's_max');
  const conditions = (power: number) => guidanceFromRaw({ maxScale, power }, raw, equal);
  const { tMin, tMax } = conditions(1);
  const scales = Object.keys(given.tensors).flatMap((name) => {
    const power = /^out\/omega_beta_(.+)$/.exec(name)?.[1];
    return power === undefined ? [] : [[`omega_beta_${power}`, conditions(Number(power)).omega] as const];
  });
  const computed = { t, r, fm_mask: equal.to('int32'), t_min: tMin, t_max: tMax };
  return compareOutputs(given, { ...computed, ...Object.fromEntries(scales) }, tolerances.host);
}

function publishedIntervals(given: ParityCase): IntervalSampler {
  return {
    t: logitNormal(numberOf(given, 'P_mean'), numberOf(given, 'P_std')),
    equalShare: numberOf(given, 'data_proportion'),
  };
}

const normals = (given: ParityCase) => ({
  t: floats(given, 'in/normal_t'),
  r: floats(given, 'in/normal_r'),
});

/** Reads `P_t=(-0.6,1.6) P_r=(-4.0,1.6)`, or `P_t=P_r=(-2.0,2.0)`. */
function distributions(given: ParityCase, version: string): Pick<IntervalSampler, 't' | 'r'> {
  const text = textOf(given, version);
  const number = String.raw`\s*(-?[\d.eE+-]+)\s*`;
  const read = (name: string) =>
    new RegExp(String.raw`${name}=(?:P_[tr]=)?\(${number},${number}\)`).exec(text);
  const [t, r] = [read('P_t'), read('P_r')];
  if (t === null || r === null) {
    throw new DataError(
      `${given.name}.json: "${version}" must read like "P_t=(-0.6,1.6) P_r=(-4,1.6)", got "${text}".`,
    );
  }
  return { t: logitNormal(Number(t[1]), Number(t[2])), r: logitNormal(Number(r[1]), Number(r[2])) };
}

function mapped(values: Times, f: (x: number) => number): Times {
  return new HostArray('float32', values.shape, Float32Array.from(values.data, f));
}
