/**
 * Lets WebGPU in Node find the software Vulkan driver that Chromium brings, where one is installed, beside whatever
 * drivers the machine has. Jest configurations of packages that test on WebGPU import this before any worker starts:
 * the Vulkan loader reads the environment of the process.
 */
import { existsSync } from 'node:fs';

const candidates = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
  ['/usr/lib', '/usr/lib64', '/opt'].map((root) => `${root}/${name}/vk_swiftshader_icd.json`),
);

if (process.env.VK_ICD_FILENAMES === undefined && process.env.VK_DRIVER_FILES === undefined) {
  process.env.VK_ADD_DRIVER_FILES ??= candidates.find((path) => existsSync(path)) ?? '';
}
