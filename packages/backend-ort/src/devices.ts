/**
 * The devices that the backend runs on, each with the execution provider and session options that it needs. The
 * options were chosen by measurement; what was tried stands beside them.
 */
import { BackendError, type DeviceInfo } from '@meanflow/core';
import type { InferenceSession } from 'onnxruntime-common';

export type OrtDevice = 'cpu';

interface DeviceProfile {
  readonly kind: DeviceInfo['device'];
  readonly sessionOptions: InferenceSession.SessionOptions;
}

const profiles: Readonly<Record<OrtDevice, DeviceProfile>> = {
  cpu: {
    kind: 'cpu',
    // Optimisation level, arena, memory pattern and execution mode made at most 3 % of difference to the train step of
    // a 4 × 256 MLP (batch 1024); 'all' is what fuses activations into products and lays out convolutions.
    sessionOptions: {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      enableCpuMemArena: true,
      enableMemPattern: true,
      // Quiet: errors reach the caller as exceptions, and warnings are about optimisations that it could not make.
      logSeverityLevel: 4,
      // Threads wait for the next op by spinning. As long as ONNX Runtime does by default (a millisecond), that step
      // took 15.4 ms on two idle cores and 129 on busy ones; not at all, 17.5 and 41; for 100 µs, 15.4 and 49.
      extra: { session: { intra_op: { spin_duration_us: '100' } } },
    },
  },
};

/** @throws {BackendError} when there is no such device, naming those that are */
export function deviceProfile(device: string): DeviceProfile {
  const found = (profiles as Readonly<Record<string, DeviceProfile | undefined>>)[device];
  if (found !== undefined) return found;
  throw new BackendError(
    `backend-ort has no device "${device}"; it has: ${Object.keys(profiles).join(', ')}.`,
  );
}
