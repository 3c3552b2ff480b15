/** Loading plug-ins, and backends by their path, before a command begins. */
import { isModulePath } from '@meanflow/runs/names';
import { loadBackend, loadPlugin } from '@meanflow/runs/node';

/**
 * @param backends names, and paths of modules
 * @returns the names of the backends
 */
export async function loadModules(
  plugins: readonly string[],
  backends: readonly string[],
): Promise<readonly string[]> {
  for (const path of plugins) await loadPlugin(path);
  const names: string[] = [];
  for (const name of backends) names.push(isModulePath(name) ? await loadBackend(name) : name);
  return names;
}
