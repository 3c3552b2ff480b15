/**
 * ONNX Runtime's Node binding (1.30) collects and sends telemetry unless the environment forbids it: an identifier of the
 * machine and a database under `~/.cache/Microsoft`, and names of graphs with their metadata to a collector. Nobody who
 * trains here asked for that. It is here for all who are handed the library: backends, and what extracts features.
 */

/** Read by ONNX Runtime when its first session is made. */
const FORBID = 'ORT_DISABLE_TELEMETRY';
/** Set to 1 by who wants it all the same. */
const WANTED = 'MEANFLOW_ORT_TELEMETRY';

/**
 * Forbids ONNX Runtime to collect and send, unless `wanted` or the environment says otherwise (`MEANFLOW_ORT_TELEMETRY=1`,
 * or a value of `ORT_DISABLE_TELEMETRY`, which stays). To be called before the first session is made, and in the main thread:
 * the environment of a worker is a copy, which does not reach native libraries.
 */
export function settleOrtTelemetry(wanted = false): void {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  if (process?.env === undefined || wanted || process.env[WANTED] === '1') return;
  process.env[FORBID] ??= '1';
}
