/**
 * The configuration of a network, or of half an autoencoder, as it comes from a file: that every field is known and of its type, and none that a
 * network cannot be made without is missing. Ranges are for the network itself to check.
 */
import { didYouMean, printableJson, quoted } from '@meanflow/core';
import type { NetworkConfig, SdVaeConfig } from '@meanflow/models';

type Kind = NetworkConfig['kind'];

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isText = (value: unknown): boolean => typeof value === 'string';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(isNumber);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Objects within, by their fields: a field that is none of them is unknown at this depth too. */
const within = {
  velocityHead: ['depth'],
  tokens: ['label', 'omega', 'interval', 'time'],
  embedding: ['kind', 'dimension', 'scale', 'maxPeriod', 'endpoint', 'first', 'frequencies'],
} as const;
const isNumbersByName = (value: unknown): boolean => isObject(value) && Object.values(value).every(isNumber);
const isScalars = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((item) => isNumber(item) || isText(item) || isBoolean(item));

/** What fields that name one of several may be. */
const choices: Readonly<Record<string, readonly string[]>> = {
  times: ['t-and-h', 't-and-r', 'h', 't'],
  activation: ['silu', 'gelu', 'gelu-tanh', 'tanh', 'relu'],
  join: ['concatenate', 'add'],
  initialisation: ['pytorch', 'xavier'],
  normalisation: ['layer-norm', 'rms-norm', 'none'],
  conditioning: ['film', 'additive'],
};

/** Layers are described one by one before a single parameter is looked for: no published network has a hundred. */
const MOST_LAYERS = 10_000;
const isLayers = (value: unknown): boolean => isNumber(value) && (value as number) <= MOST_LAYERS;
const LAYERS = `a number up to ${MOST_LAYERS}`;

/** Every field of every kind, with what it is. */
const fields: Readonly<Record<string, readonly [(value: unknown) => boolean, string]>> = Object.fromEntries([
  ['kind', [isText, 'a text']],
  ...Object.entries(choices).map(([name, known]) => [name, [(value: unknown) => isText(value) && known.includes(value as string), `one of ${known.join(', ')}`]]),
  ...['depth', 'blocks'].map((name) => [name, [isLayers, LAYERS]]),
  ...['patchSize', 'width', 'heads', 'headDepth', 'mlpRatio', 'classCount', 'classWidth', 'bottleneck', 'noiseScale', 'expansion', 'channels', 'timeMultiplier', 'conditionMultiplier', 'augmentWidth', 'dropout'].map((name) => [name, [isNumber, 'a number']]),
  ...['featureShape', 'channelMultipliers', 'attentionResolutions', 'resampleFilter'].map((name) => [name, [isNumbers, 'a list of numbers']]),
  ...['guidance', 'zeroOutput'].map((name) => [name, [isBoolean, 'true or false']]),
  ...['velocityHead', 'tokens'].map((name) => [name, [isNumbersByName, 'an object of numbers']]),
  ['embedding', [isScalars, 'an object']],
]); // prettier-ignore

/** What each kind cannot do without. */
const required: Readonly<Record<Kind, readonly string[]>> = {
  mlp: ['featureShape', 'width', 'depth'],
  'residual-mlp': ['featureShape', 'width', 'depth'],
  dit: ['featureShape', 'patchSize', 'width', 'depth', 'heads'],
  'imf-dit': ['featureShape', 'patchSize', 'width', 'depth', 'heads'],
  'pmf-dit': ['featureShape', 'patchSize', 'width', 'depth', 'heads'],
  'song-unet': ['featureShape', 'channels', 'channelMultipliers', 'blocks', 'attentionResolutions'],
};

/**
 * @param config what a file holds
 * @param source the file, for messages
 * @param Failure the error that is thrown
 */
export function checkNetworkConfig(
  config: unknown,
  source: string,
  Failure: new (message: string) => Error,
): asserts config is NetworkConfig {
  const fail = (problem: string): never => {
    throw new Failure(`${source}: ${problem}.`);
  };
  if (!isObject(config)) return fail('the configuration of a network is not a JSON object');
  const { kind } = config;
  if (typeof kind !== 'string' || !Object.hasOwn(required, kind)) {
    return fail(`there is no network of kind ${printableJson(kind)}; known are ${Object.keys(required).join(', ')}`); // prettier-ignore
  }
  for (const name of required[kind as Kind]) {
    if (config[name] === undefined) fail(`a network of kind "${kind}" lacks "${name}"`);
  }
  checkFields(config, fields, `${source}: a network`, Failure);
}

/** Every field of an autoencoder, with what it is. */
const autoencoderFields: typeof fields = {
  half: [(value) => value === 'encoder' || value === 'decoder', '"encoder" or "decoder"'],
  channels: [isNumbers, 'a list of numbers'],
  blocks: [isLayers, LAYERS],
  ...Object.fromEntries(
    ['imageChannels', 'latentChannels', 'groups'].map((name) => [name, [isNumber, 'a number']]),
  ),
};

/**
 * @param config what a file holds
 * @param source the file, for messages
 * @param Failure the error that is thrown
 */
export function checkAutoencoderConfig(
  config: unknown,
  source: string,
  Failure: new (message: string) => Error,
): asserts config is { readonly half: 'encoder' | 'decoder' } & SdVaeConfig {
  if (!isObject(config)) throw new Failure(`${source}: "autoencoder" is not a JSON object.`);
  if (config.half === undefined) throw new Failure(`${source}: an autoencoder lacks "half", expected ${autoencoderFields.half[1]}.`); // prettier-ignore
  checkFields(config, autoencoderFields, `${source}: an autoencoder`, Failure);
}

/** That each field is a known one, and of its type. */
function checkFields(
  config: Readonly<Record<string, unknown>>,
  known: typeof fields,
  what: string,
  Failure: new (message: string) => Error,
): void {
  for (const [name, value] of Object.entries(config)) {
    const field = Object.hasOwn(known, name) ? known[name] : undefined;
    if (field === undefined)
      throw new Failure(`${what} has no field ${quoted(name)}.${didYouMean(name, Object.keys(known))}`);
    if (isObject(value) && Object.hasOwn(within, name)) {
      const inner: readonly string[] = within[name as keyof typeof within];
      const unknown = Object.keys(value).find((key) => !inner.includes(key));
      if (unknown !== undefined)
        throw new Failure(`${what}: "${name}" has no field ${quoted(unknown)}.${didYouMean(unknown, inner)}`);
    }
    const [isRight, expected] = field;
    if (!isRight(value)) throw new Failure(`${what}: "${name}" is ${printableJson(value)}, expected ${expected}.`); // prettier-ignore
  }
}
