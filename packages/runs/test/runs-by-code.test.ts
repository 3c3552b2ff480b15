/** Runs by code: trained, opened, gone on with, sampled and saved, as the command does it. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, DataError, type Backend } from '@meanflow/core';
import { openBackend, openModel, openRun, resumeRun, saveModel, trainRun } from '../src/node.js';
import { openModel as openInPage } from '../src/index.js';
import { tiny } from './support/tiny.js';

let folder: string;
let backend: Backend;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-runs-'));
  backend = await openBackend('ort:cpu');
  await trainRun(tiny, { folder: at('whole'), backend });
});

afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe('a run', () => {
  it('is opened with its configuration, what was logged, and its checkpoints', async () => {
    const run = await openRun(at('whole'));
    expect(run.config).toMatchObject({ data: 'digits', steps: 6, network: { kind: 'mlp', width: 8 } });
    expect((await run.metrics()).map(({ step }) => step)).toEqual([1, 2, 4, 6]);
    const checkpoints = await run.checkpoints();
    expect(checkpoints.map(({ step }) => step)).toEqual([6, 3]);
    expect(checkpoints[0]?.path).toBe(at('whole/final.safetensors'));
  });

  it('goes on after it was stopped, and ends in the very state of one that was not', async () => {
    const stop = new AbortController();
    const events: string[] = [];
    const stopped = await trainRun(tiny, {
      folder: at('parts'),
      backend,
      signal: stop.signal,
      onData: ({ name }) => events.push(`data ${name}`),
      onBegin: ({ network }) => {
        events.push(`begin ${network.parameterCount > 0}`);
        stop.abort();
      },
    });
    expect(events).toEqual(['data digits', 'begin true']);
    expect(stopped.summary.completed).toBe(false);
    const from: number[] = [];
    const { summary } = await resumeRun(
      at('parts'),
      {},
      { backend, onResume: (_, { step }) => from.push(step) },
    );
    expect(from).toEqual([stopped.summary.step]);
    expect(summary).toMatchObject({ completed: true, step: 6, resumedFrom: stopped.summary.step });
    const bytes = async (run: string) => (await readFile(at(`${run}/final.safetensors`))).toString('base64');
    expect(await bytes('parts')).toBe(await bytes('whole'));
  });

  it('is not begun in a folder that holds one, and is not opened where there is none', async () => {
    await expect(trainRun(tiny, { folder: at('whole'), backend })).rejects.toThrow(/holds a run already/);
    await expect(openRun(folder)).rejects.toThrow(DataError);
    await expect(openRun(at('whole/config.json'))).rejects.toThrow(/is a file: a run is a folder/);
  });

  it('says which setting is wrong', async () => {
    const settings = { ...tiny, network: { kind: 'mlp', widht: 8 } } as typeof tiny;
    await expect(trainRun(settings, { folder: at('none'), backend })).rejects.toThrow(
      /network: there is no field "widht"/,
    );
    await expect(stat(at('none'))).rejects.toThrow();
  });
});

describe('a model', () => {
  it('draws what is asked for: so many, of these classes, the same from the same seed', async () => {
    const model = await openModel(at('whole'));
    expect(model.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(model.shape).toEqual([8, 8, 1]);
    const draw = (seed: number) => model.sample({ count: 5, class: [3, '7'], seed, backend });
    const [first, same, other] = [await draw(0), await draw(0), await draw(1)];
    expect(first.values.shape).toEqual([5, 8, 8, 1]);
    expect(Array.from(first.labels?.data ?? [])).toEqual([3, 7, 3, 7, 3]);
    expect(first.nfe).toBe(1);
    expect(same.values.data).toEqual(first.values.data);
    expect(other.values.data).not.toEqual(first.values.data);
    const twice = await model.sample({ count: 5, class: [3, '7'], nfe: 2, backend });
    expect(twice.nfe).toBe(2);
    expect(twice.values.data).not.toEqual(first.values.data);
  });

  it('draws in chunks what it draws at once', async () => {
    const model = await openModel(at('whole'));
    const request = { count: 5, class: [3, 7], backend };
    const whole = await model.sample(request);
    const chunks = [];
    for await (const chunk of model.stream({ ...request, batchSize: 2 })) chunks.push(chunk);
    expect(chunks.map(({ values }) => values.shape[0])).toEqual([2, 2, 1]);
    expect(chunks.flatMap(({ labels }) => Array.from(labels!.data))).toEqual([3, 7, 3, 7, 3]);
    const values = chunks.flatMap((chunk) => Array.from(chunk.values.data));
    values.forEach((value, i) => expect(value).toBeCloseTo(whole.values.data[i]!, 4));
  });

  it('is in the units of its data', async () => {
    const model = await openModel(at('whole'));
    const { normalised, values } = await model.sample({ count: 4, class: 0, backend });
    const { mean, scale } = model.data.normalisation;
    expect(scale[0]).not.toBe(1);
    normalised.data.forEach((value, i) => {
      const column = i % mean.length;
      expect(values.data[i]).toBeCloseTo(value * scale[column]! + mean[column]!, 4);
    });
  });

  it('says what a text is that is an address', async () => {
    await expect(openModel('http://localhost:1/model.safetensors')).rejects.toThrow(/an address is new URL/);
  });

  it('makes values once, however often they are read', async () => {
    const samples = await (await openModel(at('whole'))).sample({ count: 2, backend });
    expect(samples.values).toBe(samples.values);
  });

  it.each([
    [{ class: 10 }, /There is no class "10": they are numbers from 0 to 9/],
    [{ guidance: 2 }, /not trained for guidance/],
    [{ solver: 'heun', nfe: 3 }, /must be a multiple of 2/],
    [{ count: 0 }, /count is a whole number from 1, got 0/],
    [{ batchSize: 1.5 }, /batchSize is a whole number from 1, got 1.5/],
    [{ nfe: 0 }, /nfe is a whole number from 1, got 0/],
    [{ evaluations: 2 }, /no option "evaluations"/],
  ] as const)('refuses %j', async (choice, message) => {
    const model = await openModel(at('whole'));
    await expect(model.sample({ count: 2, backend, ...choice })).rejects.toThrow(message);
  });

  it.each([[undefined], [{}], [{ backend: 'ort:cpu' }]])('says what a backend is to %j', async (request) => {
    const model = await openModel(at('whole'));
    const sampled = model.sample(request as Parameters<typeof model.sample>[0]);
    await expect(sampled).rejects.toThrow(/sample: backend is an open one, such as await openBackend/);
  });

  it('stops when it is told to', async () => {
    const model = await openModel(at('whole'));
    const reason = new Error('enough');
    await expect(model.sample({ count: 2, backend, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('alone, is a small part of a checkpoint, and draws the same wherever it is opened', async () => {
    const model = await openModel(at('whole'));
    const bytes = await saveModel(model, at('alone.safetensors'));
    const checkpoint = (await stat(at('whole/final.safetensors'))).size;
    // Parameters, two moments and an average against the parameters, and the same words about both.
    expect(bytes).toBeLessThan(checkpoint / 2);
    const wanted = await model.sample({ count: 3, backend });
    const file = await readFile(at('alone.safetensors'));
    for (const opened of [
      await openModel(at('alone.safetensors')),
      await openInPage(new Blob([new Uint8Array(file)])),
      await openInPage(new Uint8Array(file)),
    ]) {
      expect(opened.generator.origin).toBe('MeanFlow, step 6');
      expect((await opened.sample({ count: 3, backend })).values.data).toEqual(wanted.values.data);
      expect(Buffer.concat(opened.toChunks()).equals(file)).toBe(true);
    }
  });

  it('alone, has the average that was asked for, and no other', async () => {
    const plain = await openModel(at('whole'), { average: 'none' });
    await saveModel(plain, at('plain.safetensors'));
    const opened = await openModel(at('plain.safetensors'));
    const drawn = async (model: typeof plain) => (await model.sample({ count: 3, backend })).values.data;
    expect(await drawn(opened)).toEqual(await drawn(plain));
    expect(await drawn(opened)).not.toEqual(await drawn(await openModel(at('whole'))));
    expect(opened.generator.origin).toBe('MeanFlow, step 6, no average');
    await expect(openModel(at('plain.safetensors'), { average: '0.5' })).rejects.toThrow(ArgumentError);
  });
});
