/** KernelRunner: compiles generated kernels and records them beside tfjs's own. */
import { BackendError, type TensorType } from '@meanflow/core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { messageOf } from '@meanflow/core/backend';
import type { StepFunction } from '../schedule.js';
import type { GpuBindGroup, GpuBuffer, GpuPipeline, TfjsGpuBackend } from './gpu.js';
import { storedAs } from './halves.js';
import type { Kernel } from './kernel-writer.js';

/** Dispatches after which recorded commands are handed to the device before the run ends: a train step is one submission. */
const DISPATCHES_PER_SUBMIT = 2048;
/** Bind groups that a step remembers: state alternates between few sets of buffers. */
const REMEMBERED = 4;

export class KernelRunner {
  /** Kernels dispatched, tfjs's and generated. */
  dispatches = 0;
  /** Times that recorded commands were handed to the device, to be run or to be read from. */
  submits = 0;
  /** Generated kernels recorded since. tfjs counts its own apart, and hands in after some of them. */
  private pending = 0;
  private readonly pipelines = new Map<string, Promise<GpuPipeline>>();

  constructor(private readonly backend: TfjsGpuBackend) {
    const run = backend.runWebGPUProgram.bind(backend);
    backend.runWebGPUProgram = (...parameters) => {
      this.dispatches += 1;
      return run(...parameters);
    };
    const submit = backend.submitQueue.bind(backend);
    backend.submitQueue = () => {
      this.submits += 1;
      this.pending = 0;
      submit();
    };
  }

  /**
   * Compiles a kernel, once per text.
   *
   * @returns what a schedule calls: with what the kernel reads, and then what it writes over
   * @throws {BackendError} when the device refuses it, with the device's message and the text
   */
  async compile(kernel: Kernel, results: readonly TensorType[]): Promise<StepFunction> {
    const wgsl = kernel.wgsl();
    if (!this.pipelines.has(wgsl)) this.pipelines.set(wgsl, this.pipeline(wgsl));
    const pipeline = await this.pipelines.get(wgsl)!;
    const most = this.backend.device.limits.maxComputeWorkgroupsPerDimension;
    const y = Math.ceil(kernel.workgroups / most);
    const x = Math.ceil(kernel.workgroups / y);
    const remembered: { buffers: readonly GpuBuffer[]; group: GpuBindGroup }[] = [];
    const operandOf = new Map(kernel.inPlace.map(({ result }, i) => [result, kernel.reads.length + i]));
    return (inputs) => {
      const outputs = results.map((type, i) => {
        const operand = operandOf.get(i);
        return operand === undefined ? this.allocate(type) : this.takeOver(inputs[operand]!, type);
      });
      const buffers = [...outputs, ...inputs.slice(0, kernel.reads.length)].map(
        ({ dataId }) => this.backend.tensorMap.get(dataId).resource,
      );
      let known = remembered.find((entry) => entry.buffers.every((buffer, i) => buffer === buffers[i]));
      if (known === undefined) {
        known = { buffers, group: this.bind(pipeline, buffers) };
        remembered.unshift(known);
        if (remembered.length > REMEMBERED) remembered.pop();
      }
      this.record(pipeline, known.group, x, y);
      return outputs;
    };
  }

  private async pipeline(wgsl: string): Promise<GpuPipeline> {
    const { device } = this.backend;
    try {
      const module = device.createShaderModule({ code: wgsl });
      return await device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: 'main' },
      });
    } catch (error) {
      throw new BackendError(`The device refused a generated kernel: ${messageOf(error)}\n${wgsl}`, {
        cause: error,
      });
    }
  }

  /** An operand's storage, to be written over; a copy of it, if anybody else holds it. */
  private takeOver(operand: TensorInfo, type: TensorType): TensorInfo {
    const { backend } = this;
    if (backend.refCount(operand.dataId) === 1) {
      backend.incRef(operand.dataId);
      // tfjs keeps what was read from it, which is about to be wrong.
      backend.tensorMap.get(operand.dataId).values = null;
      return operand;
    }
    const copy = this.allocate(type);
    const [from, to] = [operand, copy].map(({ dataId }) => backend.tensorMap.get(dataId).resource);
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.commandEncoder!.copyBufferToBuffer(from!, 0, to!, 0, to!.size);
    return copy;
  }

  private allocate(type: TensorType): TensorInfo {
    const { shape, dtype } = storedAs(type);
    const tensor = this.backend.makeTensorInfo([...shape], dtype);
    this.backend.uploadToGPU(tensor.dataId);
    return tensor;
  }

  private bind(pipeline: GpuPipeline, buffers: readonly GpuBuffer[]): GpuBindGroup {
    return this.backend.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  private record(pipeline: GpuPipeline, group: GpuBindGroup, x: number, y: number): void {
    const { backend } = this;
    backend.ensureCommandEncoderReady();
    backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
    const pass = backend.computePassEncoder;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y);
    this.dispatches += 1;
    if (++this.pending >= DISPATCHES_PER_SUBMIT) this.submit();
  }

  /** Hands what was recorded to the device. */
  submit(): void {
    const { backend } = this;
    backend.endComputePassEncoder();
    if (backend.commandEncoder !== null) backend.submitQueue();
  }
}
