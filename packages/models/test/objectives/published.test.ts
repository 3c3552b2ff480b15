/**
 * The losses of the published implementations, intermediate by intermediate. In place of their networks
 * stands one that is linear in its inputs and returns what theirs returned, with their du/dt as its
 * derivative, and only when it is called with the inputs, and differentiated along the tangent, that theirs
 * was.
 */
import {
  add,
  cast,
  concat,
  constant,
  equal,
  HostArray,
  hostZeros,
  mul,
  RandomKey,
  sub,
  valueAndGrad,
  where,
  type Tensor,
} from '@meanflow/core';
import { perRow } from '@meanflow/samplers';
import {
  meanFlowPresets,
  type ImprovedMeanFlowConfig,
  type MeanFlowConfig,
  type TrainingBatch,
  type VelocityDraws,
  type VelocityInputs,
  type VelocityNetwork,
} from '../../src/index.js';
import { droppedFromRaw, improvedMeanFlowTerms, meanFlowTerms } from '../../src/published.js';
import { evaluate, relativeError } from '../helpers.js';
import { readSafetensors } from '../safetensors.js';

/** Records are rounded to float32. */
const TOLERANCE = 1e-6;
const NULL_CLASS = 10;

type Data = Record<string, HostArray>;
type Shifts = { readonly u: HostArray; readonly v: HostArray };

const isZero = (h: Tensor): boolean => h.node.op === 'broadcastTo' && h.node.inputs[0].node.op === 'constant';

/** Random fixed slopes, so that every wrong input or tangent shows. */
function slopes(shape: readonly number[]): (name: string) => Tensor {
  return (name) => constant(RandomKey.fromSeed(5).fold(name).normal(shape));
}

/**
 * @param tangent the recorded tangent of z
 * @param guidanceScale ω at which the velocity with the class was recorded
 */
function recorded(data: Data, tangent: HostArray, guidanceScale?: HostArray): VelocityNetwork<Shifts> {
  const u = data['out64/u'];
  const slope = slopes(u.shape);
  const offBy = (name: string, given: Tensor | undefined, expected: HostArray | number): Tensor => {
    if (given === undefined) throw new Error(`The network was called without ${name}.`);
    const at = typeof expected === 'number' ? expected : constant(expected);
    return mul(slope(name), perRow(cast(sub(given, at), 'float32'), slope(name)));
  };
  const total = (terms: readonly Tensor[]) => terms.reduce((a, b) => add(a, b));

  /** The calls with h = 0: velocities without and with the class, told apart by label. */
  const guidance = ({ z, label, omega, tMin, tMax }: VelocityInputs): Tensor => {
    const times = z.shape[0] / u.shape[0];
    const rows = (x: Tensor) => concat(Array.from({ length: times }, () => x));
    const isNull = perRow(equal(label!, NULL_CLASS), z);
    const velocity = where(
      isNull,
      rows(constant(data['network/v_u'])),
      rows(constant(data['out64/v_c'] ?? data['network/v_c'])),
    );
    if (guidanceScale === undefined) return velocity;
    const right = where(equal(label!, NULL_CLASS), 1, rows(constant(guidanceScale)));
    const wide = rows(slope('omega'));
    return total([
      velocity,
      mul(wide, perRow(sub(omega!, right), z)),
      mul(wide, perRow(tMin!, z)),
      mul(wide, perRow(sub(tMax!, 1), z)),
    ]);
  };

  const main = (inputs: VelocityInputs): Tensor => {
    const { z, t, h, label, omega, tMin, tMax } = inputs;
    const inTime = sub(constant(data['out64/du_dt']), add(mul(slope('z'), constant(tangent)), slope('h')));
    const interval = new HostArray(
      'float64',
      [u.shape[0]],
      Float64Array.from(data['in/t'].data, (value, i) => value - data['in/r'].data[i]),
    );
    return total([
      constant(u),
      mul(slope('z'), sub(z, constant(data['out64/z_t'] ?? data['out64/z']))),
      mul(inTime, perRow(sub(t, constant(data['in/t'])), z)),
      offBy('h', h, interval),
      ...(data['out/y_inp'] ? [offBy('label', label, data['out/y_inp'])] : []),
      ...(guidanceScale ? [offBy('omega', omega, data['in/omega'])] : []),
      ...(guidanceScale ? [offBy('tMin', tMin, data['in/t_min'])] : []),
      ...(guidanceScale ? [offBy('tMax', tMax, data['in/t_max'])] : []),
    ]);
  };

  const head = data['out64/V'] === undefined ? undefined : constant(data['out64/v']);
  return {
    featureShape: u.shape.slice(1),
    classCount: data['in/labels'] ? NULL_CLASS : undefined,
    takesGuidance: guidanceScale !== undefined,
    hasVelocityHead: head !== undefined,
    init: () => ({ u: hostZeros(u.shape), v: hostZeros(u.shape) }),
    apply: (shift, inputs) => {
      if (isZero(inputs.h)) {
        const velocity = guidance(inputs);
        return head === undefined ? { u: velocity } : { u: velocity, v: velocity };
      }
      const shifted = { u: add(main(inputs), shift.u) };
      return head === undefined ? shifted : { ...shifted, v: add(head, shift.v) };
    },
  };
}

function batchOf(data: Data): TrainingBatch {
  const label = data['in/labels'] as HostArray<'int32'> | undefined;
  return { x: (data['in/img'] ?? data['in/x']) as HostArray<'float32'>, ...(label ? { label } : {}) };
}

function drawsOf(data: Data, probability: number | undefined): VelocityDraws {
  const draw = (name: string) => data[name] as HostArray<'float32'>;
  const dropped =
    probability === undefined
      ? undefined
      : droppedFromRaw({ probability, rows: 'first' }, data['in/drop_uniform']);
  if (dropped) expect(dropped.data.reduce((a, b) => a + b, 0)).toBe(data['out/num_drop'].item());
  return {
    noise: draw('in/e'),
    t: draw('in/t'),
    r: draw('in/r'),
    ...(dropped ? { dropped } : {}),
    ...(data['in/omega'] ? { omega: draw('in/omega'), tMin: draw('in/t_min'), tMax: draw('in/t_max') } : {}),
  };
}

function expectRecorded(results: Data, data: Data, names: Readonly<Record<string, string>>): void {
  for (const [ours, theirs] of Object.entries(names)) {
    const error = relativeError(results[ours], data[`out64/${theirs}`]);
    if (!(error < TOLERANCE)) throw new Error(`${ours} is off by ${error} of its largest value.`);
  }
}

/** 2 · error / ((‖error‖² + ε)^p · batch): the gradient of a weighted loss in what it is computed from. */
function expectedGradient(error: Float64Array, raw: HostArray, power: number, epsilon: number): HostArray {
  const batch = raw.size;
  const width = error.length / batch;
  const gradient = error.map(
    (value, i) => (2 * value) / ((raw.data[Math.floor(i / width)] + epsilon) ** power * batch),
  );
  return new HostArray('float64', [error.length], gradient);
}

function difference(a: HostArray, b: HostArray): Float64Array {
  return Float64Array.from(a.data, (value, i) => value - b.data[i]);
}

describe('MeanFlow', () => {
  const guided = (omega: number, kappa: number, start: number, end: number) => ({ omega, kappa, start, end });
  const cases: [string, MeanFlowConfig, number | undefined][] = [
    ['mf-loss-none', { kind: 'meanflow' }, 0.1],
    ['mf-loss-cfg-k0', { kind: 'meanflow', guidance: guided(2, 0, 0.2, 0.8) }, 0.1],
    ['mf-loss-cfg-k05', { kind: 'meanflow', guidance: guided(1.5, 0.5, 0.2, 0.8) }, 0],
    [
      'mf-loss-cfg-k05-full-p05',
      { kind: 'meanflow', guidance: guided(1, 0.5, 0, 1), weight: { power: 0.5, epsilon: 1e-3 } },
      0.6,
    ],
    ['unet-loss', meanFlowPresets['cifar10-v1'], undefined],
  ];
  test.each(cases)('%s', (name, config, drop) => {
    const data = readSafetensors(name);
    const tangent = data['out64/v_g'] ?? data['out64/v'];
    const network = recorded(data, tangent);
    const inputs = {
      params: network.init(RandomKey.fromSeed(0)),
      batch: batchOf(data),
      draws: drawsOf(data, drop),
    };
    const results = evaluate(({ params, batch, draws }) => {
      const [[loss, terms], gradient] = valueAndGrad(
        (shifts: typeof params) => {
          const all = meanFlowTerms(config, { network, params: shifts, batch, draws });
          return [all.loss, all] as const;
        },
        { hasAux: true },
      )(params);
      return { ...terms, loss, gradient: gradient.u };
    }, inputs);
    expectRecorded(results, data, {
      z: data['out64/z_t'] ? 'z_t' : 'z',
      v: 'v',
      ...(data['out64/v_g'] ? { guidedVelocity: 'v_g', velocityError: 'v_loss' } : {}),
      u: 'u',
      dudt: 'du_dt',
      target: 'u_tgt',
      squaredError: 'raw_loss',
      weightedError: 'weighted_loss',
      loss: 'loss',
    });
    const { power, epsilon } = config.weight ?? { power: 1, epsilon: 0.01 };
    const error = difference(data['out64/u'], data['out64/u_tgt']);
    const expected = expectedGradient(error, data['out64/raw_loss'], power, epsilon);
    expect(relativeError(results.gradient, expected)).toBeLessThan(TOLERANCE);
  });
});

describe('improved MeanFlow', () => {
  const config: ImprovedMeanFlowConfig = { kind: 'improved-meanflow', guidance: {} };
  const cases: [string, ImprovedMeanFlowConfig, number][] = [
    ['imf-loss', config, 0.1],
    ['imf-loss-p05', { ...config, weight: { power: 0.5, epsilon: 1e-3 } }, 0],
  ];
  test.each(cases)('%s', (name, config, drop) => {
    const data = readSafetensors(name);
    const [t, omega] = [data['in/t'].data, data['in/omega'].data];
    const scale = new HostArray(
      'float32',
      [t.length],
      Float32Array.from(omega, (value, i) =>
        data['in/t_min'].data[i] <= t[i] && t[i] <= data['in/t_max'].data[i] ? value : 1,
      ),
    );
    const network = recorded(data, data['out64/v_c'], scale);
    const inputs = {
      params: network.init(RandomKey.fromSeed(0)),
      batch: batchOf(data),
      draws: drawsOf(data, drop),
    };
    const results = evaluate(({ params, batch, draws }) => {
      const [[loss, terms], gradient] = valueAndGrad(
        (shifts: typeof params) => {
          const { head, ...all } = improvedMeanFlowTerms(config, { network, params: shifts, batch, draws });
          const named = { headV: head!.v, headRaw: head!.squaredError, headWeighted: head!.weightedError };
          return [all.loss, { ...all, ...named }] as const;
        },
        { hasAux: true },
      )(params);
      return { ...terms, loss, gradientU: gradient.u, gradientV: gradient.v };
    }, inputs);
    expectRecorded(results, data, {
      z: 'z_t',
      v: 'v_t',
      guidedVelocity: 'v_g',
      tangent: 'v_c',
      u: 'u',
      dudt: 'du_dt',
      compound: 'V',
      headV: 'v',
      squaredError: 'raw_loss_u',
      headRaw: 'raw_loss_v',
      weightedError: 'weighted_loss_u',
      headWeighted: 'weighted_loss_v',
      loss: 'loss',
    });
    const { power, epsilon } = config.weight ?? { power: 1, epsilon: 0.01 };
    for (const [ours, output, raw] of [
      ['gradientU', 'V', 'raw_loss_u'],
      ['gradientV', 'v', 'raw_loss_v'],
    ]) {
      const error = difference(data[`out64/${output}`], data['out64/v_g']);
      const expected = expectedGradient(error, data[`out64/${raw}`], power, epsilon);
      expect(relativeError(results[ours], expected)).toBeLessThan(TOLERANCE);
    }
  });
});
