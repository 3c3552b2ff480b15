/** What a configuration says that there is not: named, with what was probably meant. */
import { ArgumentError } from '@meanflow/core';
import {
  createNetwork, createObjective, dit, flowMatching, improvedMeanFlow, meanFlow, mlp, residualMlp, sdVaeDecoder, songUNet,
} from '../src/index.js'; // prettier-ignore

const points = { kind: 'mlp', featureShape: [2], width: 8, depth: 1 } as const;
const images = { kind: 'dit', featureShape: [4, 4, 1], patchSize: 2, width: 8, depth: 1, heads: 2 } as const;

it.each<[string, () => unknown, string]>([
  ['a field of an mlp', () => mlp({ ...points, activations: 'relu' } as never), 'mlp: there is no field "activations". Did you mean "activation"? Known are kind, width,'],
  ['an activation', () => mlp({ ...points, activation: 'swish' as never }), 'mlp: activation: expected one of silu, gelu, gelu-tanh, tanh, relu, got "swish".'],
  ['a property of every object', () => mlp({ ...points, activation: 'constructor' as never }), 'got "constructor"'],
  ['a form of joining', () => mlp({ ...points, join: 'sum' as never }), 'mlp: join: expected one of'],
  ['a shape', () => mlp({ ...points, featureShape: 2 as never }), 'featureShape: expected a list, got 2.'],
  ['an embedding', () => mlp({ ...points, embedding: { kind: 'sine' } as never }), 'embedding.kind: expected one of sinusoidal, fourier, got "sine".'],
  ['a field of an embedding', () => mlp({ ...points, embedding: { kind: 'fourier', frequency: 2 } as never }), 'Did you mean "frequencies"?'],
  ['times', () => mlp({ ...points, times: 'r-and-t' as never }), 'times: expected one of t-and-h'],
  ['a normalisation', () => residualMlp({ ...points, kind: 'residual-mlp', normalisation: 'batch-norm' as never }), 'residual-mlp: normalisation: expected one of'],
  ['a field of a head', () => mlp({ ...points, velocityHead: { layers: 1 } as never }), 'velocityHead: there is no field "layers"'],
  ['a field of a dit', () => dit({ ...images, headCount: 2 } as never), 'dit: there is no field "headCount"'],
  ['a field of a U-Net', () => songUNet({ kind: 'song-unet', featureShape: [1, 4, 4], channels: 4, channelMultipliers: [1], blocks: 1, attentionResolutions: [], dropOut: 0.1 } as never), 'Did you mean "dropout"?'],
  ['a field of an autoencoder', () => sdVaeDecoder({ latents: 4 } as never), 'The autoencoder: there is no field "latents"'],
  ['a kind of network', () => createNetwork({ ...points, kind: 'mpl' as never }), 'There is no network of kind "mpl". Did you mean "mlp"? Known are mlp, residual-mlp, dit, unet, imf-dit, pmf-dit, song-unet.'],
  ['a kind of objective', () => createObjective({ kind: 'flow' } as never), 'Did you mean "flow-matching"?'],
  ['an objective’s field', () => meanFlow({ kind: 'meanflow', interval: {} } as never), 'meanflow: there is no field "interval". Did you mean "intervals"? Known are kind, path, velocity, coupling, intervals, weight, clipInterval, tangentRows, guidance, labelDrop, conditionDrop, guidanceDrop.'],
  ['a field of label drop', () => flowMatching({ kind: 'flow-matching', labelDrop: { rate: 0.1 } as never }), 'labelDrop: there is no field "rate"'],
  ['rows of label drop', () => flowMatching({ kind: 'flow-matching', labelDrop: { probability: 0.1, rows: 'last' as never } }), 'labelDrop.rows: expected one of first, any'],
  ['a field of a weight', () => meanFlow({ kind: 'meanflow', weight: { p: 1, epsilon: 1 } as never }), 'weight: there is no field "p"'],
  ['a field of guidance', () => meanFlow({ kind: 'meanflow', guidance: { scale: 2 } as never }), 'guidance: there is no field "scale"'],
  ['a tangent', () => improvedMeanFlow({ kind: 'improved-meanflow', tangent: 'head' as never }), 'Did you mean "velocity-head"?'],
])('%s', (_, make, message) => {
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
}); // prettier-ignore
