import { DataError, hostArray, type HostArray, type Tree } from '@meanflow/core';
import { encodeSafetensors, type JsonObject } from '@meanflow/formats';
import { ParameterSpec } from '@meanflow/models';
import {
  checkpointChunks,
  checkpointParameters,
  checkpointState,
  decodeCheckpoint,
  type TrainState,
} from '../src/index.js';

type Params = { layers: { weight: HostArray; bias: HostArray }[] };
const layer = (inputs: number, outputs: number, value = 0.5) => ({
  weight: hostArray(new Array<number>(inputs * outputs).fill(value), { shape: [inputs, outputs] }),
  bias: hostArray(new Array<number>(outputs).fill(-value)),
});
const stateOf = (params: Params, step = 12): TrainState<Params> => ({
  step,
  params,
  optimizer: [undefined, { mean: params, variance: params }],
  ema: { '0.9': params, '0.999': { layers: params.layers.map(() => layer(2, 3, 7)) } },
});
const params: Params = { layers: [layer(2, 3)] };
const state = stateOf(params);
const facts = { seed: 5, batchSize: 64, info: { network: { width: 3 }, data: 'ring' } };
const encode = (of: TrainState<Params> = state, info: JsonObject = facts.info): Uint8Array =>
  new Uint8Array(Buffer.concat(checkpointChunks(of, { ...facts, info })));

describe('a checkpoint', () => {
  it('gives back the whole state and what was said of it', () => {
    const checkpoint = decodeCheckpoint(encode(), 'a.safetensors');
    expect(checkpoint).toMatchObject({
      step: 12,
      averages: ['0.9', '0.999'],
      source: 'a.safetensors',
      ...facts,
    });
    expect(checkpointState(checkpoint, stateOf({ layers: [layer(2, 3, 0)] }, 0))).toEqual(state);
    expect(checkpointParameters(checkpoint, params)).toEqual(params);
    expect(checkpointParameters(checkpoint, params, '0.999')).toEqual(state.ema['0.999']);
    expect(Object.keys(checkpoint.tensors)).toContain('optimizer/1/variance/layers/0/weight');
  });

  it('has the same bytes for the same state, in whatever order its JSON was written', () => {
    const one = encode(state, { a: 1, b: { c: [1, 2], d: null } });
    const other = encode(state, { b: { d: null, c: [1, 2] }, a: 1 });
    expect(other).toEqual(one);
    expect(encode(state, { a: 2 })).not.toEqual(encode(state, { a: 1 }));
  });

  it('keeps infinite and subnormal numbers, and the sign of zero', () => {
    const odd = { layers: [{ weight: hostArray([[-0, Infinity, 1e-45]]), bias: hostArray([NaN]) }] };
    const back = checkpointParameters(decodeCheckpoint(encode(stateOf(odd))), odd);
    expect(back).toEqual(odd);
    expect(Object.is(back.layers[0].weight.data[0], -0)).toBe(true);
  });
});

it('is read by what describes the parameters, without any being made', () => {
  const refuse = (): never => {
    throw new Error('a parameter was made');
  };
  const described = (width: number) => ({
    layers: [{ weight: new ParameterSpec([2, width], refuse), bias: new ParameterSpec([width], refuse) }],
  });
  const checkpoint = decodeCheckpoint(encode());
  expect(checkpointParameters(checkpoint, described(3))).toEqual(params);
  expect(() => checkpointParameters(checkpoint, described(4))).toThrow(
    'is float32[2, 3], expected float32[2, 4]',
  );
});

describe('a checkpoint that does not fit', () => {
  const fits = (expected: Tree<HostArray>, average?: string) => () =>
    checkpointParameters(decodeCheckpoint(encode(), 'run/final.safetensors'), expected, average);

  it.each<[string, Tree<HostArray>, string]>([
    [
      'another width',
      { layers: [layer(2, 4)] },
      '"params/layers/0/bias" is float32[3], expected float32[4]; "params/layers/0/weight" is float32[2, 3], expected float32[2, 4].',
    ],
    [
      'another depth',
      { layers: [layer(2, 3), layer(3, 3)] },
      '"params/layers/1/bias" is missing (float32[3]); "params/layers/1/weight" is missing (float32[3, 3]).',
    ],
    [
      'fewer layers',
      { layers: [] },
      '"params/layers/0/bias" is not expected; "params/layers/0/weight" is not expected.',
    ],
    [
      'another dtype',
      { layers: [{ ...layer(2, 3), bias: hostArray([1, 2, 3], { dtype: 'int32' }) }] },
      '"params/layers/0/bias" is float32[3], expected int32[3].',
    ],
    ['many differences', { blocks: Array.from({ length: 9 }, () => layer(1, 1)) }, '; and 15 more.'],
  ])('%s', (_, expected, message) => {
    expect(fits(expected)).toThrow(DataError);
    expect(fits(expected)).toThrow('run/final.safetensors is a checkpoint of another architecture: ');
    expect(fits(expected)).toThrow(message);
  });

  it('another optimizer, other averages', () => {
    const checkpoint = decodeCheckpoint(encode(), 'x');
    expect(() => checkpointState(checkpoint, { ...state, optimizer: undefined })).toThrow(
      'x is a checkpoint of another optimizer or architecture: "optimizer/1/mean/layers/0/bias" is not expected',
    );
    expect(() => checkpointState(checkpoint, { ...state, ema: { '0.9': params } })).toThrow(
      'x is a checkpoint with other averages, or of another architecture: "ema/0.999/layers/0/bias" is not expected',
    );
    expect(fits(params, '0.5')).toThrow('has no average of decay 0.5; it has 0.9, 0.999.');
  });
});

describe('a file that is no checkpoint', () => {
  const training = '{"version":1,"step":1,"seed":1,"batchSize":1}';
  const file = (metadata: Record<string, string>): Uint8Array =>
    encodeSafetensors({ a: hostArray(1) }, metadata);

  it.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'x is not an intact safetensors file'],
    ['truncated', encode().subarray(0, -4), 'the file is truncated'],
    ['safetensors of somebody else', file({}), 'no checkpoint of meanflow: its metadata has format nothing'],
    ['another format', file({ format: 'pt' }), 'has format "pt", expected "meanflow-checkpoint"'],
    ['no metadata', file({ format: 'meanflow-checkpoint' }), 'the metadata "training" is not a JSON object'],
    [
      'a later version',
      file({ format: 'meanflow-checkpoint', training: '{"version":2}' }),
      'a checkpoint of version 2; this program reads version 1',
    ],
    [
      'a step that is none',
      file({ format: 'meanflow-checkpoint', training: '{"version":1,"step":-1,"seed":1,"batchSize":1}' }),
      'must be whole numbers',
    ],
    [
      'torn JSON',
      file({ format: 'meanflow-checkpoint', training, info: '{"a":' }),
      'the metadata "info" is not a JSON object',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeCheckpoint(bytes, 'x')).toThrow(DataError);
    expect(() => decodeCheckpoint(bytes, 'x')).toThrow(message);
  });
});
