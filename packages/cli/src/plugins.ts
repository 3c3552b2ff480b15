/**
 * `--plugin`, the same for every command that takes it, and what a command loads before it begins: the plug-ins that it names, and the
 * backends that `--backend` names by the path of their module. Only what is typed is loaded here; what a run's folder or a model file
 * names never is.
 */
import { isModulePath } from '@meanflow/runs/names';
import { Option, type Command } from 'commander';

/** The option. */
export function pluginOption(): Option {
  return new Option(
    '--plugin <file>',
    'an ES module with networks, objectives, data sets, metrics, solvers or backends of your own, which is executed; may be given ' +
      'several times',
  )
    .helpGroup('Your own code:')
    .argParser((path: string, before: readonly string[] = []) => [...before, path]);
}

/** Loads what the options name; a backend that was named by a path has its own name from then on. */
export async function loadNamed(command: Command): Promise<void> {
  const { plugin = [], backend } = command.opts<{
    plugin?: readonly string[];
    backend?: string | readonly string[];
  }>();
  const named = [backend ?? []].flat();
  if (plugin.length === 0 && !named.some(isModulePath)) return;
  const { loadModules } = await import('./actions/load-modules.js');
  const names = await loadModules(plugin, named);
  if (backend !== undefined)
    command.setOptionValue('backend', typeof backend === 'string' ? names[0] : names);
}
