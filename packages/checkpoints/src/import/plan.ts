/**
 * The plan of an import: which tensor becomes which parameter, checked in full before anything is read or written. Every
 * parameter has to be there with its shape; what is there beside them is listed and left.
 */
import { ArgumentError, DataError } from '@meanflow/core';
import { formatShape, printable } from '@meanflow/core/validation';
import type { Catalogue, PassedOver, StoredTensor } from '@meanflow/formats';
import { describeTensor } from '@meanflow/formats/build';
import { sameUpToOnes, type PublishedBuffer, type PublishedParameter } from '@meanflow/models/published';
import { chooseWeights } from './choose.js';
import { checkFloats } from './convert.js';
import { comparableNames } from './names.js';
import { passedOverText } from './passed-over.js';
import { importTarget, importTargetNames, type ImportModel, type ImportTarget } from './target.js';
import { findWeights, isAverage, type WeightSet } from './weights.js';

export interface ImportChoice {
  /** Name of a published model, or the configuration of a network or of half an autoencoder; found from the names and shapes by default. */
  readonly model?: ImportModel;
  /** Which weights: keys of a set (`ema_params`, `net_ema1`), or `none` for no average; an average by default. */
  readonly average?: string;
}

/** A tensor and the parameter it becomes. */
export interface PlannedParameter {
  readonly parameter: PublishedParameter;
  readonly tensor: StoredTensor;
}

export interface ImportPlan {
  readonly target: ImportTarget;
  readonly source: string;
  /** Format of the checkpoint. */
  readonly format: string;
  /** The set of weights that was chosen. */
  readonly weights: string;
  /** The other complete sets that the checkpoint has. */
  readonly otherWeights: readonly string[];
  readonly parameters: readonly PlannedParameter[];
  /** Constants of the model that the checkpoint holds, to be compared. */
  readonly buffers: readonly { readonly expected: PublishedBuffer; readonly tensor: StoredTensor }[];
  /** Tensors of the chosen set that the model does not have. */
  readonly leftOver: readonly StoredTensor[];
  /** What the checkpoint holds that was neither read nor run. */
  readonly passedOver: readonly PassedOver[];
}

/** How many names a message lists. */
const LISTED = 5;

/**
 * @throws {ArgumentError} when there is no such model or no such weights, or the choice is the user's
 * @throws {DataError} when a parameter is missing or has another shape, or no model fits
 */
export function planImport(catalogue: Catalogue, { model, average }: ImportChoice = {}): ImportPlan {
  const target = model === undefined ? detectTarget(catalogue) : importTarget(model);
  const { sets, parameters, brokenAverage } = completeSets(catalogue, target);
  // Not taken in silence for the parameters themselves.
  if (average === undefined && brokenAverage !== undefined && !sets.some(isAverage)) {
    const error = incomplete(catalogue, target, { set: brokenAverage, parameters });
    throw new DataError(`${error.message} The parameters themselves are there (--ema none).`);
  }
  const chosen = chooseWeights(sets, average, target.name, catalogue.source);
  const planned = parameters.map((parameter) => ({ parameter, tensor: chosen.found.get(parameter.name)! }));
  for (const { tensor } of planned) checkFloats(tensor.dtype, `${catalogue.source}: "${tensor.name}"`);
  const buffers = target.buffers.flatMap((expected) => {
    const tensor = chosen.beside(expected.name);
    return tensor === undefined ? [] : [{ expected, tensor }];
  });
  const isBuffer = new Set(buffers.map(({ tensor }) => tensor));
  return {
    target,
    source: catalogue.source,
    format: catalogue.format,
    weights: chosen.label,
    otherWeights: sets.filter((set) => set !== chosen).map(({ label }) => label),
    parameters: planned,
    buffers,
    leftOver: chosen.leftOver.filter((tensor) => !isBuffer.has(tensor)),
    passedOver: catalogue.passedOver ?? [],
  };
}

interface CompleteSets {
  readonly sets: readonly WeightSet[];
  readonly parameters: readonly PublishedParameter[];
  /** An average that lacks a few of them. */
  readonly brokenAverage: WeightSet | undefined;
}

/** The sets that hold every parameter with its shape, under the names of the code base that has most of them. */
function completeSets(catalogue: Catalogue, target: ImportTarget): CompleteSets {
  let nearest: { readonly set: WeightSet; readonly parameters: readonly PublishedParameter[] } | undefined;
  for (const { parameters } of target.namings) {
    const sets = findWeights(catalogue, parameters);
    const complete = sets.filter((set) => set.missing.length === 0 && misfits(set, parameters).length === 0);
    const isBroken = (set: WeightSet): boolean =>
      isAverage(set) && !complete.includes(set) && 2 * set.found.size >= parameters.length;
    if (complete.length > 0) return { sets: complete, parameters, brokenAverage: sets.find(isBroken) };
    const [best] = sets;
    if (best !== undefined && !(nearest !== undefined && nearest.set.missing.length <= best.missing.length)) {
      nearest = { set: best, parameters };
    }
  }
  const error = incomplete(catalogue, target, nearest);
  throw new DataError(`${error.message}${otherTimes(catalogue, target)}`);
}

/** The same network with other times may be what the checkpoint is: a sentence that says so, or nothing. */
function otherTimes(catalogue: Catalogue, { description }: ImportTarget): string {
  if (!('network' in description) || description.network.kind !== 'dit') return '';
  const { network } = description;
  const times = 'times' in network && network.times === 't-and-r' ? 't-and-h' : 't-and-r';
  const other = { ...network, times };
  if (!fits(catalogue, importTarget(other))) return '';
  return ` They are those of the same network with "times": "${times}" in its configuration (--config).`;
}

/** Parameters whose tensor has another shape. */
function misfits({ found }: WeightSet, parameters: readonly PublishedParameter[]): string[] {
  return parameters.flatMap(({ name, shape }) => {
    const tensor = found.get(name);
    if (tensor === undefined || sameUpToOnes(tensor.shape, shape)) return [];
    return [`"${tensor.name}" is ${describeTensor(tensor)}, expected ${formatShape(shape)}`];
  });
}

function incomplete(
  { source, tensors, passedOver = [] }: Catalogue,
  { name, namings }: ImportTarget,
  nearest: { readonly set: WeightSet; readonly parameters: readonly PublishedParameter[] } | undefined,
): DataError {
  const model = name === undefined ? 'a network of this configuration' : `"${name}"`;
  if (nearest === undefined) {
    const published = namings.map(({ parameters }) => `"${parameters[0]!.name}"`).join(' or ');
    const first = tensors[0] === undefined ? 'no tensors' : `"${printable(tensors[0].name)}"`;
    const unread = passedOver.length === 0 ? '' : ` Passed over: ${passedOverText(passedOver)}.`;
    return new DataError(
      `${source} holds no weights of ${model}: it has ${first}, expected such as ${published}.${unread}`,
    );
  }
  const { set, parameters } = nearest;
  const unread = new Map(
    comparableNames(passedOver.map((each) => each.name)).map(({ text }, i) => [text, passedOver[i]]),
  );
  const absent = set.missing.map((missing) => {
    const instead = unread.get(set.placeOf(missing));
    return instead === undefined
      ? `"${missing}" is missing`
      : `"${printable(instead.name)}" is not read: ${printable(instead.what)}`;
  });
  const problems = [...misfits(set, parameters), ...absent];
  const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more` : '';
  return new DataError(
    `The weights "${set.label}" of ${source} are not those of ${model}: ${problems.slice(0, LISTED).join('; ')}${more}.`,
  );
}

/**
 * The published model whose parameters are all there. The largest of them is what a checkpoint is: a deeper model has all
 * the names of a shallower one. But what sampling does not need is not asked for.
 */
function detectTarget(catalogue: Catalogue): ImportTarget {
  const fitting = importTargetNames.map(importTarget).filter((target) => fits(catalogue, target));
  const sampling = fitting.filter(({ name }) => !name?.endsWith('-train'));
  const forms = sampling.length > 0 ? sampling : fitting;
  const largest = Math.max(...forms.map(({ parameterCount }) => parameterCount));
  const found = forms.filter(({ parameterCount }) => parameterCount === largest);
  if (found.length === 1) return found[0]!;
  const names = found.map(({ name }) => name).join(', ');
  throw new ArgumentError(
    found.length === 0
      ? `${catalogue.source} fits no published model by its names and shapes. Say which it is (--model), or give its configuration (--config).`
      : `${catalogue.source} fits several models: ${names}. Say which it is (--model).`,
  );
}

function fits(catalogue: Catalogue, { namings }: ImportTarget): boolean {
  return namings.some(({ parameters }) =>
    findWeights(catalogue, parameters).some(
      (set) => set.missing.length === 0 && misfits(set, parameters).length === 0,
    ),
  );
}
