/** The libraries that parts of the command are made of: which are installed, in which version, with which execution providers. */
import {
  findOrtPackage,
  installCommand,
  installedVersion,
  loadOnnxRuntime,
  type Runtime,
  type RuntimeName,
  runtimes,
} from '@meanflow/runs/command';
import { attempt, type Finding } from './finding.js';

/** Packages that no backend needs: the version that is advised, and what for. */
const tools = {
  sharp: ['0.35.5', 'images in folders'],
  esbuild: ['0.28.2', 'meanflow conformance in Chromium'],
  'playwright-core': ['1.65.1', 'meanflow conformance in Chromium'],
} as const;

export async function examineLibraries(): Promise<Finding[]> {
  const { 'onnxruntime-node': { serves }, ...others } = runtimes; // prettier-ignore
  const names = Object.keys(others) as (keyof typeof others)[];
  return [
    await onnxRuntime(serves),
    ...names.map((name) => library(name, runtimes[name])),
    ...Object.entries(tools).map(([name, [version, use]]) => tool(name, version, `for ${use}`)),
  ];
}

function tool(subject: string, advised: string, use: string): Finding {
  const version = installedVersion(subject, import.meta.url);
  return version === undefined
    ? { subject, status: 'absent', text: `not installed; ${use}: npm install ${subject}@${advised}` }
    : { subject, status: 'ok', text: `${version}, ${use}` };
}

function library(subject: RuntimeName, { serves, note }: Runtime): Finding {
  const version = installedVersion(subject);
  if (version !== undefined) return { subject, status: 'ok', text: `${version}, for ${serves}` };
  const remark = note === undefined ? '' : `, ${note}`;
  return {
    subject,
    status: 'absent',
    text: `not installed; for ${serves}: ${installCommand(subject)}${remark}`,
  };
}

/** Without it there is no default backend. Its binaries are loaded, to learn which providers they have. */
async function onnxRuntime(serves: string): Promise<Finding> {
  return attempt('onnxruntime-node', 'failed', async () => {
    const providers = (await loadOnnxRuntime()).listSupportedBackends();
    const named = (isBundled: boolean): string =>
      providers
        .filter(({ bundled }) => bundled === isBundled)
        .map(({ name }) => name)
        .join(', ');
    const loadable = named(false) === '' ? '' : `; loads ${named(false)} where installed`;
    const { name, version } = findOrtPackage();
    const source = name === 'onnxruntime-node' ? version : `${version} of ${name}`;
    return `${source}, for ${serves}; brings the providers ${named(true)}${loadable}`;
  });
}
