/**
 * Jest's Node environment with the host's binary types. A test runs in a realm of its own, whose `Float32Array` is not
 * the one that native addons check against: onnxruntime-node refuses such tensors (onnxruntime issue 16622).
 */
// For who uses this file without the preset.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const { TestEnvironment } = require('jest-environment-node');

const binaryTypes = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Float16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
];

module.exports = class HostBinaryTypesEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of binaryTypes) {
      if (globalThis[name] !== undefined) this.global[name] = globalThis[name];
    }
  }
};
