/** ONNX files of feature extractors, as the runtime and we take them. */
import { exportOnnx } from '@meanflow/backend-ort';
import { hostArray, matmul, reshape, spec, trace } from '@meanflow/core';
import { onnxFeatureExtractor, type OrtRuntime } from '@meanflow/metrics';
import * as ort from 'onnxruntime-node';
import type { Seed, Target } from '../target.js';

export const onnx: Target = {
  name: 'onnx features',
  words: ['images', 'features', 'MatMul', 'Reshape', 'ai.onnx', 'If', 'Loop'],
  // The runtime keeps an arena for each thread.
  memory: 2 ** 29,
  seeds: (): Seed[] => {
    const { graph } = trace(
      ({ x, w }) => ({ features: matmul(reshape(x, [2, 12]), w) }),
      { x: spec([2, 2, 2, 3]), w: spec([12, 3]) },
      { name: 'features' },
    );
    const { model } = exportOnnx(graph, {
      inputs: { x: 'images' },
      outputs: { features: 'features' },
      parameters: { w: hostArray(new Float32Array(36).fill(0.1), { shape: [12, 3] }) },
      dataFile: 'features.data',
    });
    const read = async (bytes: Uint8Array): Promise<void> => {
      const extractor = await onnxFeatureExtractor({
        ort: ort as unknown as OrtRuntime<ort.Tensor>,
        model: bytes,
        imageShape: [2, 2, 3],
        layout: 'nhwc',
        range: 'unit',
        session: { logSeverityLevel: 4, intraOpNumThreads: 1 },
      });
      try {
        await extractor.extract(hostArray(new Float32Array(24), { shape: [2, 2, 2, 3] }));
      } finally {
        await extractor.dispose();
      }
    };
    return [{ name: 'features.onnx', bytes: new Uint8Array(Buffer.concat([...model.chunks()])), read }];
  },
};
