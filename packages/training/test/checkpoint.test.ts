import { DataError, hostArray, type HostArray, type Tree } from '@meanflow/core';
import { decodeSafetensors, encodeSafetensors, type JsonObject } from '@meanflow/formats';
import { ParameterSpec } from '@meanflow/models';
import {
  checkpointChunks,
  checkpointParameters,
  checkpointParts,
  checkpointState,
  decodeCheckpoint,
  verifyCheckpoint,
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
  it('gives back the whole state and what was said of it', async () => {
    const checkpoint = await decodeCheckpoint(encode(), 'a.safetensors');
    expect(checkpoint).toMatchObject({
      step: 12,
      averages: ['0.9', '0.999'],
      source: 'a.safetensors',
      ...facts,
    });
    expect(checkpoint.hasChecksums).toBe(true);
    expect(await checkpointState(checkpoint, stateOf({ layers: [layer(2, 3, 0)] }, 0))).toEqual(state);
    expect(await checkpointParameters(checkpoint, params)).toEqual(params);
    expect(await checkpointParameters(checkpoint, params, '0.999')).toEqual(state.ema['0.999']);
    expect([...checkpoint.tensors.keys()]).toContain('optimizer/1/variance/layers/0/weight');
  });

  it('has the same bytes for the same state, in whatever order its JSON was written', () => {
    const one = encode(state, { a: 1, b: { c: [1, 2], d: null } });
    const other = encode(state, { b: { d: null, c: [1, 2] }, a: 1 });
    expect(other).toEqual(one);
    expect(encode(state, { a: 2 })).not.toEqual(encode(state, { a: 1 }));
  });

  it('has the same bytes where it comes in parts, a tensor at a time', async () => {
    const whole = encode();
    const written = Buffer.alloc(whole.length);
    let [end, tensors] = [0, 0];
    for await (const part of checkpointParts(state, facts)) {
      if ('position' in part) written.set(part.bytes, part.position);
      else {
        written.set(part, end);
        end += part.length;
        tensors++;
      }
    }
    expect(new Uint8Array(written)).toEqual(whole);
    // The header, two arrays of parameters, as many of each moment, and of either average.
    expect(tensors).toBe(1 + 5 * 2);
  });

  it('keeps infinite and subnormal numbers, and the sign of zero', async () => {
    const odd = { layers: [{ weight: hostArray([[-0, Infinity, 1e-45]]), bias: hostArray([NaN]) }] };
    const back = await checkpointParameters(await decodeCheckpoint(encode(stateOf(odd))), odd);
    expect(back).toEqual(odd);
    expect(Object.is(back.layers[0].weight.data[0], -0)).toBe(true);
  });
});

it('is read by what describes the parameters, without any being made', async () => {
  const refuse = (): never => {
    throw new Error('a parameter was made');
  };
  const described = (width: number) => ({
    layers: [{ weight: new ParameterSpec([2, width], refuse), bias: new ParameterSpec([width], refuse) }],
  });
  const checkpoint = await decodeCheckpoint(encode());
  expect(await checkpointParameters(checkpoint, described(3))).toEqual(params);
  await expect(checkpointParameters(checkpoint, described(4))).rejects.toThrow(
    'is float32[2, 3], expected float32[2, 4]',
  );
});

describe('a checkpoint that does not fit', () => {
  const fits = async (expected: Tree<HostArray>, average?: string) =>
    checkpointParameters(await decodeCheckpoint(encode(), 'run/final.safetensors'), expected, average);

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
  ])('%s', async (_, expected, message) => {
    await expect(fits(expected)).rejects.toThrow(DataError);
    await expect(fits(expected)).rejects.toThrow(
      'run/final.safetensors is a checkpoint of another architecture: ',
    );
    await expect(fits(expected)).rejects.toThrow(message);
  });

  it('another optimizer, other averages', async () => {
    const checkpoint = await decodeCheckpoint(encode(), 'x');
    await expect(checkpointState(checkpoint, { ...state, optimizer: undefined })).rejects.toThrow(
      'x is a checkpoint of another optimizer or architecture: "optimizer/1/mean/layers/0/bias" is not expected',
    );
    await expect(checkpointState(checkpoint, { ...state, ema: { '0.9': params } })).rejects.toThrow(
      'x is a checkpoint with other averages, or of another architecture: "ema/0.999/layers/0/bias" is not expected',
    );
    await expect(fits(params, '0.5')).rejects.toThrow('has no average of decay 0.5; it has 0.9, 0.999.');
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
      file({ format: 'meanflow-checkpoint', training: '{"version":3}' }),
      'a checkpoint of version 3; this program reads version 1 and 2',
    ],
    [
      'no checksums where there should be',
      file({ format: 'meanflow-checkpoint', training: training.replace('"version":1', '"version":2') }),
      'a checkpoint of version 2 has checksums, and it has none',
    ],
    [
      'a step that is none',
      file({ format: 'meanflow-checkpoint', training: '{"version":1,"step":-1,"seed":1,"batchSize":1}' }),
      'must be whole numbers',
    ],
    [
      'torn JSON',
      file({ format: 'meanflow-checkpoint', training, info: '{"a":' }),
      'the metadata "info" is not JSON',
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(decodeCheckpoint(bytes, 'x')).rejects.toThrow(DataError);
    await expect(decodeCheckpoint(bytes, 'x')).rejects.toThrow(message);
  });
});

describe('checksums', () => {
  const bytes = encode();
  const read = async (file: Uint8Array): Promise<TrainState<Params>> =>
    checkpointState<Params>(await decodeCheckpoint(file, 'x'), state);

  it('find every single bit that is wrong, wherever it is', async () => {
    const accepted: number[] = [];
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] ^= 1 << (bit & 7);
      await read(damaged).then(
        () => accepted.push(bit),
        (error: unknown) => expect(error).toBeInstanceOf(DataError),
      );
    }
    expect(accepted).toEqual([]);
  });

  it('name the tensor', async () => {
    const damaged = bytes.slice();
    damaged[bytes.length - 1] ^= 1;
    const checkpoint = await decodeCheckpoint(damaged, 'run/final.safetensors');
    const [last] = [...checkpoint.tensors.keys()].slice(-1);
    const problem = `run/final.safetensors: tensor "${last}" is damaged: its checksum does not match.`;
    await expect(verifyCheckpoint(checkpoint)).rejects.toThrow(problem);
    await expect(checkpointState(checkpoint, state)).rejects.toThrow(problem);
    // What is not asked for is not read.
    expect(await checkpointParameters(checkpoint, params, '0.9')).toEqual(params);
  });

  it('are not there in checkpoints of version 1, which are read as ever', async () => {
    const { metadata, tensors } = decodeSafetensors(bytes);
    const training = metadata.training.replace('"version":2', '"version":1');
    const old = encodeSafetensors(tensors, { ...metadata, training });
    expect((await decodeCheckpoint(old)).hasChecksums).toBe(false);
    expect(await read(old)).toEqual(state);
  });
});
