/** What a network is told in training beside the state and the times: augmentation labels, and dropout's draws. */
import { hostArray, RandomKey } from '@meanflow/core';
import {
  createObjective,
  songUNet,
  type ObjectiveConfig,
  type SongUNetConfig,
  type TrainingBatch,
  type VelocityDraws,
} from '../../src/index.js';
import { evaluate, relativeError } from '../helpers.js';

const config: SongUNetConfig = {
  kind: 'song-unet',
  featureShape: [1, 4, 4],
  channels: 4,
  channelMultipliers: [1],
  blocks: 1,
  attentionResolutions: [],
  augmentWidth: 2,
  dropout: 0.5,
};
const key = RandomKey.fromSeed(2);
const network = songUNet(config);
const params = network.init(key);
/** Layers that start near zero would hide what is before them. */
const louder = (kernel: { readonly data: Float32Array }) =>
  kernel.data.forEach((x, i) => (kernel.data[i] = x * 1e4));
louder(params.out.conv.kernel);
for (const { conv1 } of [...params.encoder[0].blocks, ...params.decoder[0].blocks]) louder(conv1.kernel);
const x = key.fold('x').normal([2, 1, 4, 4]);

const objectives: ObjectiveConfig[] = [
  { kind: 'flow-matching' },
  { kind: 'meanflow' },
  { kind: 'improved-meanflow', tangent: 'boundary' },
];

describe.each(objectives)('$kind', (settings) => {
  const objective = createObjective(settings);
  const loss = (batch: TrainingBatch, draws: VelocityDraws) =>
    evaluate(
      ({ params, batch, draws }) => objective.loss({ network, params, batch, draws, references: {} }).metrics,
      {
        params,
        batch,
        draws,
      },
    ).squaredError;

  test('draws for dropout with the rest, which stays as it is', () => {
    const draws = objective.draw({ network, key, batch: { x }, step: 0 });
    const { dropout, ...rest } = draws;
    expect(rest).toEqual(objective.draw({ network: {}, key, batch: { x }, step: 0 }));
    expect(dropout).toEqual(network.drawDropout!(key.fold('dropout'), 2));
  });

  test('the network drops what was drawn', () => {
    const draws = objective.draw({ network, key, batch: { x }, step: 0 });
    const other = { ...draws, dropout: network.drawDropout!(key.fold('another'), 2) };
    const { dropout: _, ...none } = draws;
    const losses = [draws, other, none].map((each) => loss({ x }, each));
    expect(relativeError(losses[0], losses[1])).toBeGreaterThan(1e-4);
    expect(relativeError(losses[0], losses[2])).toBeGreaterThan(1e-4);
  });

  test('the network is told how rows were augmented', () => {
    const { dropout: _, ...draws } = objective.draw({ network, key, batch: { x }, step: 0 });
    const at = (label: number) => loss({ x, augment: hostArray([0, label, 0, 0], { shape: [2, 2] }) }, draws);
    expect(relativeError(at(1), at(0))).toBeGreaterThan(1e-4);
    expect(relativeError(at(0), loss({ x }, draws))).toBe(0);
  });
});

test('networks without dropout have nothing drawn for it', () => {
  const given = { network: songUNet({ ...config, dropout: 0 }), key, batch: { x }, step: 0 };
  expect(createObjective({ kind: 'meanflow' }).draw(given)).not.toHaveProperty('dropout');
});

test('a network of a class keeps what it is: its methods see their own fields', () => {
  const inner = network;
  class Wrapped {
    readonly #inner = inner;
    get featureShape() {
      return this.#inner.featureShape;
    }
    get classCount() {
      return this.#inner.classCount;
    }
    get takesGuidance() {
      return this.#inner.takesGuidance;
    }
    get hasVelocityHead() {
      return this.#inner.hasVelocityHead;
    }
    init(seed: RandomKey) {
      return this.#inner.init(seed);
    }
    apply(...args: Parameters<typeof inner.apply>) {
      return this.#inner.apply(...args);
    }
    drawDropout(seed: RandomKey, rows: number) {
      return this.#inner.drawDropout!(seed, rows);
    }
  }
  const objective = createObjective({ kind: 'meanflow' });
  const batch = { x, augment: hostArray([0, 1, 1, 0], { shape: [2, 2] }) };
  const lossOf = (of: Wrapped | typeof network) =>
    evaluate(
      ({ params, batch, draws }) => ({
        loss: objective.loss({ network: of, params, batch, draws, references: {} }).loss,
      }),
      { params, batch, draws: objective.draw({ network: of, key, batch, step: 0 }) },
    ).loss.item();
  expect(lossOf(new Wrapped())).toBe(lossOf(network));
});
