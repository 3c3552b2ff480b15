/** Importing from a path into a file, which is there whole or not at all. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ArgumentError, DataError } from '@meanflow/core';
import { byteLength, readSafetensors } from '@meanflow/formats';
import { fileAccess } from '@meanflow/formats/node';
import { makeDirectory, writeFileAtomically } from '@meanflow/training/node';
import type { WeightDType } from '../import/convert.js';
import { planImport, type ImportChoice, type ImportPlan } from '../import/plan.js';
import { importedModel, type ImportProgress } from '../import/weights-file.js';
import { readDecoder, readEncoder, readModel, readModelFile } from '../model/read.js';
import { MODEL_FORMAT } from '../model/header.js';
import { openCheckpoint } from './open.js';

export interface ImportOptions extends ImportChoice {
  /** What the weights are written as; float32 by default. */
  readonly dtype?: WeightDType;
  readonly onPlan?: (plan: ImportPlan) => void;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** What was written. */
export interface ImportSummary {
  readonly plan: ImportPlan;
  /** The file that was written. */
  readonly path: string;
  /** Bytes of it. */
  readonly bytes: number;
}

/**
 * Imports a published checkpoint as a model file. No more than one tensor is in memory at a time.
 *
 * @param source a file or folder, in any of the formats that are known
 * @param out the file to write, with the folders it lies in, or what names it from the plan; it is replaced only by a whole one
 * @throws {ArgumentError} when there is no such model or no such weights, or several fit
 * @throws {DataError} when the checkpoint is damaged, lacks a parameter, or a file cannot be read or written
 */
export async function importCheckpoint(
  source: string,
  out: string | ((plan: ImportPlan) => string),
  { dtype, onPlan, onProgress, ...choice }: ImportOptions = {},
): Promise<ImportSummary> {
  const plan = planImport(await openCheckpoint(source), choice);
  const path = typeof out === 'string' ? out : out(plan);
  if (await isSameFile(source, path)) throw new ArgumentError(`"${path}" is the checkpoint itself.`);
  onPlan?.(plan);
  // What is wrong with the folder, the writing tells.
  await makeDirectory(dirname(path)).catch(() => undefined);
  await writeFileAtomically(path, importedModel(plan, dtype, onProgress));
  return { plan, path, bytes: (await stat(path)).size };
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

/** A network with its parameters, from a model file. @throws {DataError} when it is damaged, or something else */
export async function openModel(path: string): Promise<Awaited<ReturnType<typeof readModel>>> {
  return readModel(await fileAccess(path));
}

/** A decoder of latents with its parameters, from a model file. @throws {DataError} when it is something else */
export async function openDecoder(path: string): Promise<Awaited<ReturnType<typeof readDecoder>>> {
  return readDecoder(await fileAccess(path));
}

/** An encoder to latents with its parameters, from a model file. @throws {DataError} when it is something else */
export async function openEncoder(path: string): Promise<Awaited<ReturnType<typeof readEncoder>>> {
  return readEncoder(await fileAccess(path));
}

/** Whether a path is a model file, as its header says. What is missing, a folder, damaged or something else is none. */
export async function isModelFile(path: string): Promise<boolean> {
  try {
    const { values } = await readSafetensors(await fileAccess(path));
    return values.some(({ name, value }) => name === 'format' && value === MODEL_FORMAT);
  } catch (error) {
    if (error instanceof DataError) return false;
    throw error;
  }
}

/** What a model file is, without reading its parameters. @throws {DataError} when it is damaged, or something else */
export async function describeModel(
  path: string,
): Promise<Awaited<ReturnType<typeof readModelFile>> & { readonly bytes: number }> {
  const file = await readModelFile(await fileAccess(path));
  const bytes = file.catalogue.tensors.reduce((total, tensor) => total + byteLength(tensor), 0);
  return { ...file, bytes };
}
