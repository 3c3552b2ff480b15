/** The folder in which the driver lays down a case's numbers for every worker, ours included. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { treeFlatten, treePaths, type HostArray, type Tree } from '@meanflow/core';
import { decodeSafetensors, encodeSafetensors } from '@meanflow/formats';
import { createNetwork, type ParameterSpec } from '@meanflow/models';
import { training, type Case } from './cases.js';
import { makeWorkload, type Workload } from './workload.js';

/** Lays down a case for the workers. */
export function writeCase(folder: string, benchmark: Case): void {
  const { params, arrays } = makeWorkload(benchmark);
  const named = treePaths<HostArray>(params).map(({ path, leaf }) => [`params/${path}`, leaf] as const);
  const tensors = { ...Object.fromEntries(named), ...arrays };
  writeFileSync(join(folder, 'arrays.safetensors'), encodeSafetensors(tensors));
  writeFileSync(join(folder, 'case.json'), JSON.stringify({ ...benchmark, ...training }));
}

/** What {@link writeCase} laid down. */
export function readCase(folder: string): { readonly benchmark: Case } & Workload {
  const benchmark = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as Case;
  const path = join(folder, 'arrays.safetensors');
  const { tensors } = decodeSafetensors(readFileSync(path), path);
  const found = (name: string) => tensors[name]!.to('float32');
  const { structure } = treeFlatten<ParameterSpec>(createNetwork(benchmark.network).specs);
  const leaves = structure.paths.map((name) => found(`params/${name}`));
  const params = structure.unflatten<HostArray, Tree<HostArray>>(leaves);
  const others = Object.keys(tensors).filter((name) => !name.startsWith('params/'));
  return { benchmark, params, arrays: Object.fromEntries(others.map((name) => [name, found(name)])) };
}
