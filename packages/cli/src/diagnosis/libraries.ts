/** The libraries that backends are made of: which are installed, in which version, with which execution providers. */
import { installedVersion, type Runtime, runtimes } from '@meanflow/runs/command';
import { attempt, type Finding } from './finding.js';

export async function examineLibraries(): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const [name, runtime] of Object.entries(runtimes)) {
    found.push(name === 'onnxruntime-node' ? await onnxRuntime(runtime) : library(name, runtime));
  }
  return found;
}

function library(subject: string, { serves, install }: Runtime): Finding {
  const version = installedVersion(subject);
  return version === undefined
    ? { subject, status: 'absent', text: `not installed; for ${serves}: ${install}` }
    : { subject, status: 'ok', text: `${version}, for ${serves}` };
}

/** Without it there is no default backend. Its binaries are loaded, to learn which providers they have. */
async function onnxRuntime({ serves }: Runtime): Promise<Finding> {
  return attempt('onnxruntime-node', 'failed', async () => {
    const { listSupportedBackends } = await runtimes['onnxruntime-node'].load();
    const providers = listSupportedBackends();
    const named = (isBundled: boolean): string =>
      providers
        .filter(({ bundled }) => bundled === isBundled)
        .map(({ name }) => name)
        .join(', ');
    const loadable = named(false) === '' ? '' : `; loads ${named(false)} where installed`;
    return `${installedVersion('onnxruntime-node')}, for ${serves}; brings the providers ${named(true)}${loadable}`;
  });
}
