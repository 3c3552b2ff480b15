/**
 * Adapters that compute in software. They count as GPUs only where MEANFLOW_ALLOW_SOFTWARE=1 stands in the environment; then the
 * Vulkan loader is shown the driver that Chromium brings (SwiftShader), beside the drivers that the machine has.
 */
import { existsSync } from 'node:fs';
import { BackendError } from '@meanflow/core';

const drivers = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((browser) =>
  ['/usr/lib', '/usr/lib64', '/opt'].map((folder) => `${folder}/${browser}/vk_swiftshader_icd.json`),
);

/** Variables by which somebody has told the Vulkan loader already where to look. */
const settings = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES'];

/** Whether software adapters may be taken. */
export function allowsSoftware(): boolean {
  return process.env.MEANFLOW_ALLOW_SOFTWARE === '1';
}

/**
 * Opens WebGPU, with whether it may be in software.
 *
 * @throws {BackendError} as `open` does
 */
export async function withAdapters<T>(open: (allowSoftware: boolean) => Promise<T>): Promise<T> {
  const allowSoftware = allowsSoftware();
  // The loader reads the environment of the process each time that WebGPU is opened.
  if (allowSoftware) showSoftwareDriver();
  return withSoftwareHint(() => open(allowSoftware));
}

/** Calls `open`, whose errors speak of an option of the libraries: they are told how to set it here. */
export async function withSoftwareHint<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const isAboutSoftware = error instanceof BackendError && error.message.includes('allowSoftware');
    if (allowsSoftware() || !isAboutSoftware) throw error;
    throw new BackendError(
      `${error.message} On the command line that is MEANFLOW_ALLOW_SOFTWARE=1 in the environment, which also finds Chromium's driver.`,
      { cause: error },
    );
  }
}

function showSoftwareDriver(): void {
  const driver = drivers.find((path) => existsSync(path));
  if (driver !== undefined && settings.every((name) => process.env[name] === undefined)) {
    process.env.VK_ADD_DRIVER_FILES = driver;
  }
}
