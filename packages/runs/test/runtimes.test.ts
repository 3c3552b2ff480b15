/** Where libraries of backends come from, and what is said of those that are missing. */
import { readFileSync } from 'node:fs';
import { BackendError } from '@meanflow/core';
import { openBackend } from '../src/backends.js';
import { installedVersion } from '../src/installed-version.js';
import { findOrtPackage, ORT_PLATFORMS, ORT_VERSION } from '../src/onnx-runtime.js';
import { installCommand, type RuntimeName, runtimes } from '../src/runtimes.js';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
};
const names = Object.keys(runtimes) as RuntimeName[];

describe('ONNX Runtime for Node', () => {
  const among = (versions: Record<string, string>) => (name: string) => versions[name];

  it("is a user's own, which may have CUDA, before the one that comes along", () => {
    const brought = {
      '@meanflow/onnxruntime-linux-x64': '1.30.0',
      '@meanflow/onnxruntime-darwin-arm64': '1.30.0',
    };
    expect(findOrtPackage('linux-x64', among({ ...brought, 'onnxruntime-node': '1.31.2' }))).toEqual({
      name: 'onnxruntime-node',
      version: '1.31.2',
    });
    expect(findOrtPackage('linux-x64', among(brought)).name).toBe('@meanflow/onnxruntime-linux-x64');
    expect(findOrtPackage('darwin-arm64', among(brought)).name).toBe('@meanflow/onnxruntime-darwin-arm64');
  });

  it('is missing with what to install, or with what runs instead', () => {
    const missing = (host: string) => () => findOrtPackage(host, among({}));
    for (const host of ORT_PLATFORMS) {
      expect(missing(host)).toThrow(BackendError);
      expect(missing(host)).toThrow(`npm install @meanflow/onnxruntime-${host}@${ORT_VERSION}\``);
      expect(missing(host)).toThrow(`npm install onnxruntime-node@${ORT_VERSION} --ignore-scripts`);
    }
    expect(missing('linux-x64')).toThrow('glibc');
    expect(missing('darwin-x64')).toThrow('no binaries for darwin-x64');
    expect(missing('darwin-x64')).toThrow(`npm install onnxruntime-web@${ORT_VERSION}\``);
  });
});

describe('the libraries', () => {
  it('are installed by nobody who does not ask for them', () => {
    for (const name of names) {
      expect(manifest.dependencies[name]).toBeUndefined();
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
    }
  });

  it('are advised in the versions that are tested here, which are among those that are accepted', () => {
    for (const name of names) {
      const { version } = runtimes[name];
      expect([version, undefined]).toContain(installedVersion(name));
      expect(manifest.peerDependencies[name]).toMatch(/^(\^|>=)/);
      const [major, minor] = manifest.peerDependencies[name]!.replace(/^\D+/, '').split('.');
      expect(version).toMatch(new RegExp(`^${major}\\.`));
      expect(Number(version.split('.')[1])).toBeGreaterThanOrEqual(Number(minor));
    }
  });

  it('that a backend lacks are named together, as what to type', async () => {
    expect(installCommand('@tensorflow/tfjs-core', 'webgpu')).toBe(
      'npm install @tensorflow/tfjs-core@4.22.0 webgpu@0.6.2',
    );
    const opened = openBackend('tfjs:node-gpu');
    await expect(opened).rejects.toThrow(BackendError);
    await expect(opened).rejects.toThrow(
      'tfjs:node-gpu needs @tensorflow/tfjs-node-gpu, which meanflow does not bring: ' +
        '`npm install @tensorflow/tfjs-node-gpu@4.22.0`, which downloads libtensorflow for CUDA 11.',
    );
  });
});
