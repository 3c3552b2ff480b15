/**
 * The parts of WebGPU and of tfjs's WebGPU backend that generated kernels use. tfjs records its own kernels into one
 * command encoder and pass; generated kernels go into the same, so that both run in the order in which they are called.
 */
import type { GpuAdapter } from '@meanflow/core/backend';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { TensorStore } from '../runtime.js';

export interface GpuBuffer {
  readonly size: number;
}

export interface GpuBindGroup {
  readonly label: string;
}

export interface GpuPipeline {
  getBindGroupLayout(index: number): object;
}

export interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: GpuBindGroup): void;
  dispatchWorkgroups(x: number, y: number): void;
}

export interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, start: number, to: GpuBuffer, at: number, bytes: number): void;
}

export interface GpuDevice {
  readonly limits: Readonly<
    Record<'maxComputeWorkgroupsPerDimension' | 'maxStorageBuffersPerShaderStage', number>
  >;
  readonly queue: { onSubmittedWorkDone(): Promise<void> };
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  createShaderModule(descriptor: { code: string }): object;
  createComputePipelineAsync(descriptor: {
    layout: 'auto';
    compute: { module: object; entryPoint: string };
  }): Promise<GpuPipeline>;
  createBindGroup(descriptor: {
    layout: object;
    entries: { binding: number; resource: { buffer: GpuBuffer } }[];
  }): GpuBindGroup;
  addEventListener(type: 'uncapturederror', listener: (event: { error: { message: string } }) => void): void;
  destroy(): void;
}

/** An adapter whose device can be had. */
export interface DeviceAdapter extends GpuAdapter {
  readonly features: { has(name: string): boolean };
  requestDevice(descriptor: {
    requiredFeatures: readonly string[];
    requiredLimits: Record<string, number>;
  }): Promise<GpuDevice>;
}

/** tfjs's `WebGPUBackend` (4.22). */
export interface TfjsGpuBackend extends TensorStore {
  readonly device: GpuDevice;
  readonly tensorMap: { get(dataId: object): { readonly resource: GpuBuffer; values: unknown } };
  commandEncoder: GpuEncoder | null;
  computePassEncoder: GpuPass | null;
  refCount(dataId: object): number;
  makeTensorInfo(shape: number[], dtype: string): TensorInfo;
  uploadToGPU(dataId: object): void;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  runWebGPUProgram(...parameters: unknown[]): TensorInfo;
  memory(): { readonly numBytesInGPU: number; readonly numBytesAllocatedInGPU: number };
  dispose(): void;
}
