/**
 * A model repository of the Triton Inference Server: `<name>/config.pbtxt` and `<name>/1/model.onnx`. The format is that of
 * Triton's model configuration (triton-inference-server/server, docs/user_guide/model_configuration.md).
 */
import type { ExportedModel, ExportedValue } from '@meanflow/backend-ort';
import { ArgumentError, type DType } from '@meanflow/core';

const types: Readonly<Record<DType, string>> = {
  float32: 'TYPE_FP32',
  float16: 'TYPE_FP16',
  int32: 'TYPE_INT32',
  bool: 'TYPE_BOOL',
};

/** @throws {ArgumentError} unless the name is one that a folder, and so a model in Triton, may have */
export function checkModelName(name: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return;
  throw new ArgumentError(
    `"${name}" cannot name a model: letters, digits, "_", "-" and "." may stand in it, a letter or digit first. Give --name.`,
  );
}

/**
 * The model's configuration. Shapes are whole, without a batch axis that Triton would add (`max_batch_size: 0`): the
 * model's batch is fixed.
 */
export function tritonConfig(name: string, { inputs, outputs }: ExportedModel): string {
  const scalarAsVector = ({ shape }: ExportedValue) => shape.length === 0;
  const value = (each: ExportedValue): string =>
    [
      '  {',
      `    name: "${each.name}"`,
      `    data_type: ${types[each.dtype]}`,
      // Triton has no scalars of its own: a tensor of one element is reshaped to one.
      `    dims: [ ${scalarAsVector(each) ? 1 : each.shape.join(', ')} ]`,
      ...(scalarAsVector(each) ? ['    reshape { shape: [ ] }'] : []),
      '  }',
    ].join('\n');
  const list = (kind: string, values: readonly ExportedValue[]) =>
    `${kind} [\n${values.map(value).join(',\n')}\n]`;
  return [
    `name: "${name}"`,
    'backend: "onnxruntime"',
    'max_batch_size: 0',
    list('input', inputs),
    list('output', outputs),
    '',
  ].join('\n');
}
