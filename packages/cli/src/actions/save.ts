/** `meanflow save`: the model of a run alone. */
import { extname } from 'node:path';
import { ArgumentError } from '@meanflow/core';
import { openModel, saveModel } from '@meanflow/runs/node';
import { bytesText, checkOverwrite } from '@meanflow/runs/command';
import type { SaveOptions } from '../commands/save.js';
import { noticesTo, type Io } from '../terminal/io.js';

export async function save(run: string, { average, out, force }: SaveOptions, io: Io): Promise<void> {
  if (extname(out) !== '.safetensors') throw new ArgumentError(`"${out}" must end in .safetensors.`);
  const model = await openModel(run, { average, notify: noticesTo(io) });
  await checkOverwrite([out], { confirm: io.confirm, force });
  const bytes = await saveModel(model, out);
  io.out(`${model.generator.origin}, ${bytesText(bytes)}: ${out}\n`);
}
