/**
 * The WebGPU adapters that Node finds, through the package `webgpu`: vendor, device and driver, whether they compute in software,
 * and the limits that decide how large a model can be.
 */
import { inspectWebgpu, type AdapterReport } from '@meanflow/core/backend';
import { BackendError } from '@meanflow/core';
import { allowsSoftware, runtimes, withAdapters } from '@meanflow/runs/command';
import type { Finding } from './finding.js';

/** The one that backends take (for high performance), and the one for low power where that is another. */
export async function examineAdapters(): Promise<Finding[]> {
  const subject = 'WebGPU adapter';
  const gpu = runtimes.webgpu.load;
  try {
    const [first, second] = await withAdapters(async () => [
      await inspectWebgpu({ gpu }),
      await inspectWebgpu({ gpu, powerPreference: 'low-power' }),
    ]);
    const found = [finding(subject, first)];
    return second.name === first.name ? found : [...found, finding(`${subject} 2`, second)];
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return [{ subject, status: 'absent', text: 'none; tfjs:webgpu says below what is missing' }];
  }
}

function finding(subject: string, adapter: AdapterReport): Finding {
  const { isSoftware } = adapter;
  const parts = [named(adapter), ...(isSoftware ? [softwareText()] : []), limitsText(adapter)];
  return { subject, status: isSoftware && !allowsSoftware() ? 'absent' : 'ok', text: parts.join('; ') };
}

function named({ vendor, architecture, device, description }: AdapterReport): string {
  const fields = Object.entries({ vendor, architecture, device, driver: description });
  const known = fields.filter(([, value]) => value);
  return known.map(([field, value]) => `${field} ${value}`).join(', ') || 'without a name';
}

function softwareText(): string {
  const isAllowed = allowsSoftware();
  return `computes in software, ${isAllowed ? 'which MEANFLOW_ALLOW_SOFTWARE=1 allows' : 'so it is no GPU without MEANFLOW_ALLOW_SOFTWARE=1'}`;
}

function limitsText({ limits }: AdapterReport): string {
  const bytes = (limit: string, unit: number): string =>
    Math.floor(limits[limit]! / unit).toLocaleString('en');
  return (
    `buffers of ${bytes('maxBufferSize', 2 ** 20)} MiB, storage bindings of ` +
    `${bytes('maxStorageBufferBindingSize', 2 ** 20)} MiB, ${limits.maxStorageBuffersPerShaderStage} of them for a kernel, ` +
    `workgroups of ${limits.maxComputeInvocationsPerWorkgroup} invocations with ` +
    `${bytes('maxComputeWorkgroupStorageSize', 2 ** 10)} KiB`
  );
}
