/** What a network is told in training beside the state and the times: augmentation labels, and dropout's draws. */
import { hostArray, RandomKey } from '@meanflow/core';
import {
  createObjective,
  songUNet,
  withDropout,
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
  const objective = withDropout(createObjective(settings), network);
  const loss = (batch: TrainingBatch, draws: VelocityDraws) =>
    evaluate(({ params, batch, draws }) => objective.loss(network, params, batch, draws).metrics, {
      params,
      batch,
      draws,
    }).squaredError;

  test('draws for dropout with the rest, which stays as it is', () => {
    const draws = objective.draw(key, { x });
    const { dropout, ...rest } = draws;
    expect(rest).toEqual(createObjective(settings).draw(key, { x }));
    expect(dropout).toEqual(network.drawDropout!(key.fold('dropout'), 2));
  });

  test('the network drops what was drawn', () => {
    const draws = objective.draw(key, { x });
    const other = { ...draws, dropout: network.drawDropout!(key.fold('another'), 2) };
    const { dropout: _, ...none } = draws;
    const losses = [draws, other, none].map((each) => loss({ x }, each));
    expect(relativeError(losses[0], losses[1])).toBeGreaterThan(1e-4);
    expect(relativeError(losses[0], losses[2])).toBeGreaterThan(1e-4);
  });

  test('the network is told how rows were augmented', () => {
    const { dropout: _, ...draws } = objective.draw(key, { x });
    const at = (label: number) => loss({ x, augment: hostArray([0, label, 0, 0], { shape: [2, 2] }) }, draws);
    expect(relativeError(at(1), at(0))).toBeGreaterThan(1e-4);
    expect(relativeError(at(0), loss({ x }, draws))).toBe(0);
  });
});

test('networks without dropout leave the objective as it is', () => {
  const objective = createObjective({ kind: 'meanflow' });
  expect(withDropout(objective, songUNet({ ...config, dropout: 0 }))).toBe(objective);
});
