/**
 * What is published beside the packages of this workspace: packages that are made while packing, and the optional dependencies
 * by which ours find them.
 *
 * @param {string} staging where each gets a folder
 * @returns {Promise<{ folders: string[], optionalDependencies: Record<string, Record<string, string>> }>} their folders, and for
 *   packages of ours, by name, what these depend on
 */
import { stageOnnxRuntime } from './onnxruntime.mjs';

export async function stageAdditions(staging) {
  const { folders, versions } = await stageOnnxRuntime(staging);
  return { folders, optionalDependencies: { '@meanflow/runs': versions } };
}
