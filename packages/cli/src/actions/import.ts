/** `meanflow import`: a checkpoint that others published, as a model file; or what it holds. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { importTarget, passedOverText, type ImportModel, type ImportPlan } from '@meanflow/checkpoints';
import { importCheckpoint, openCheckpoint } from '@meanflow/checkpoints/node';
import { ArgumentError, sizeOf } from '@meanflow/core';
import { formatShape, printable, printableJson } from '@meanflow/core/validation';
import { byteLength, type Catalogue, type PassedOver, type StoredTensor } from '@meanflow/formats';
import { bytesText, checkOverwrite, countText, overwriteError, readConfigFile } from '@meanflow/runs/command';
import type { Io } from '../terminal/io.js';
import { textTable } from '../terminal/table.js';
import type { ImportOptions } from '../commands/import.js';

/** How many names of tensors a line tells. */
const LISTED = 6;
/** How many characters of the names of weights, and of a value, are printed. */
const LONGEST_LIST = 2000;
const LONGEST_VALUE = 2000;

export async function importModel(path: string, options: ImportOptions, io: Io): Promise<void> {
  if (options.list) {
    for (const name of ['model', 'config', 'out', 'ema'] as const) {
      if (options[name] !== undefined)
        throw new ArgumentError(`--${name} and --list exclude each other: a list writes nothing.`);
    }
    io.out(listText(await openCheckpoint(path)));
    return;
  }
  if (options.model !== undefined && options.config !== undefined) {
    throw new ArgumentError('Give --model or --config, not both.');
  }
  // A name that nothing has, before the checkpoint is opened.
  if (options.model !== undefined) importTarget(options.model);
  const model =
    options.config === undefined
      ? options.model
      : // What is in it, the import checks by the schema of its kind.
        ((await readConfigFile(options.config)) as unknown as ImportModel);
  // The checkpoint itself in its own place is refused with or without force.
  if (options.out !== undefined && resolve(options.out) !== resolve(path))
    await checkOverwrite([options.out], { confirm: io.confirm, force: options.force });
  // Its name is known in the middle of the work, when nobody is asked.
  const named = ({ target }: ImportPlan): string => {
    const file = `${target.name ?? 'model'}.safetensors`;
    if (options.force !== true && existsSync(file)) throw overwriteError(file);
    return file;
  };
  const out = options.out ?? named;
  const imported = await importCheckpoint(path, out, {
    dtype: options.dtype,
    ...(model === undefined ? {} : { model }),
    ...(options.ema === undefined ? {} : { average: options.ema }),
    onPlan: (found) => io.err(planText(found)),
  });
  const { name = 'a network of this configuration', parameterCount } = imported.plan.target;
  io.out(
    `${name}: ${countText(parameterCount)} parameters, ${options.dtype}, ${bytesText(imported.bytes)}: ${imported.path}\n`,
  );
}

/** What is taken, and what is not. */
function planText({ format, weights, otherWeights, parameters, leftOver, passedOver }: ImportPlan): string {
  const others =
    otherWeights.length === 0 ? '' : `; also there: ${printable(otherWeights.join(', '), LONGEST_LIST)}`;
  const lines = [`${format}: ${countText(parameters.length)} tensors of ${printable(weights)}${others}\n`];
  if (leftOver.length > 0) {
    const names = leftOver.slice(0, LISTED).map(({ name }) => printable(name));
    const more = leftOver.length > LISTED ? `, and ${leftOver.length - LISTED} more` : '';
    lines.push(`Left over, since the model has no such parameters: ${names.join(', ')}${more}\n`);
  }
  if (passedOver.length > 0) lines.push(passedOverLine(passedOver));
  return lines.join('');
}

function passedOverLine(objects: readonly PassedOver[]): string {
  return `Passed over, and nothing of it run: ${passedOverText(objects)}\n`;
}

function listText({ format, tensors, values, passedOver = [] }: Catalogue): string {
  const rows = tensors.map((tensor) => [
    tensor.name,
    tensor.dtype,
    formatShape(tensor.shape),
    bytesText(byteLength(tensor)),
  ]);
  const plain = values.map(
    ({ name, value }) => `${printable(name)} = ${printableJson(value, LONGEST_VALUE)}\n`,
  );
  return [
    `${format}\n\n`,
    rows.length === 0 ? '' : textTable([['tensor', 'dtype', 'shape', 'bytes'], 'rule', ...rows]),
    plain.length === 0 ? '' : `\n${plain.join('')}`,
    passedOver.length === 0 ? '' : `\n${passedOverLine(passedOver)}`,
    `\n${countText(tensors.length)} tensors, ${countText(sum(tensors, ({ shape }) => sizeOf(shape)))} numbers, `,
    `${bytesText(sum(tensors, byteLength))}; ${countText(values.length)} other values\n`,
  ].join('');
}

function sum(tensors: readonly StoredTensor[], of: (tensor: StoredTensor) => number): number {
  return tensors.reduce((total, tensor) => total + of(tensor), 0);
}
