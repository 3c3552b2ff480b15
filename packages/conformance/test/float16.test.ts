/** What the cases of float16 notice that a device may get wrong, and that one which refuses is not asked further. */
import {
  BackendError,
  Graph,
  hostDTypeOf,
  referenceBackend,
  type Backend,
  type HostArray,
  type TensorType,
} from '@meanflow/core';
import { backendOn, interpret, type Device } from '@meanflow/core/backend';
import { conforms, runConformance } from '../src/index.js';
import { withAlteredGraphs } from '../src/testing.js';

/** What the kit finds of a backend, by the ids of its cases. */
async function outcomes(backend: Backend, outcome: string): Promise<string[]> {
  const { results } = await runConformance(backend, { filter: ({ op }) => op === 'float16' });
  expect(results).toHaveLength(17);
  return results.filter((each) => each.outcome === outcome).map(({ id }) => id.replace('float16: ', ''));
}

const asFloat32 = (graph: Graph): Graph => {
  const wide = (type: TensorType): TensorType =>
    type.dtype === 'float16' ? { ...type, dtype: 'float32' } : type;
  const instructions = graph.instructions.map((instruction) =>
    instruction.op === 'cast' && instruction.attributes.dtype === 'float16'
      ? { ...instruction, attributes: { dtype: 'float32' as const } }
      : instruction,
  );
  return new Graph(graph.name, graph.types.map(wide), graph.inputs, instructions, graph.outputs);
};

/** The interpreter, whose floats read as something else. */
function withAlteredReads(alter: (value: number) => number): Backend {
  const device: Device<HostArray> = {
    info: {
      backend: 'altered',
      device: 'cpu',
      description: 'the reference interpreter, altered',
      versions: {},
    },
    float16: true,
    takesFloat64: true,
    compile: (graph) => ({
      run: (inputs) => {
        const results = interpret(
          graph,
          Object.fromEntries(graph.inputs.map(({ name }, i) => [name, inputs[i]!])),
        );
        return graph.outputs.map(({ name }) => results[name]!.clone());
      },
    }),
    read: (array, { dtype }) => {
      const { data } = array.to(hostDTypeOf(dtype));
      return data instanceof Float32Array ? Float32Array.from(data, alter) : data.slice();
    },
  };
  return backendOn(device);
}

test('the reference passes', async () => {
  expect(await outcomes(referenceBackend(), 'failed')).toEqual([]);
  expect(await outcomes(referenceBackend(), 'unsupported')).toEqual([]);
});

test('float32 in the place of float16', async () => {
  const failed = await outcomes(withAlteredGraphs(asFloat32), 'failed');
  expect(failed).toContain('inputs are rounded');
  expect(failed).toContain('a cast rounds');
  expect(failed).toContain('sums that leave the range are infinite');
});

test('the largest number in the place of infinity', async () => {
  const clamped = withAlteredReads((x) => (Math.abs(x) === Infinity ? Math.sign(x) * 65504 : x));
  expect(await outcomes(clamped, 'failed')).toEqual(
    expect.arrayContaining([
      'inputs are rounded',
      'sums that leave the range are infinite',
      'products of factors that leave the range, above and below',
    ]),
  );
});

test('samples and steps that are wrong by a twentieth', async () => {
  const failed = await outcomes(
    withAlteredReads((x) => x * 1.0625),
    'failed',
  );
  expect(failed).toContain('a sample of a small network is float32’s, nearly');
  expect(failed).toContain('a norm of activations whose squares leave the range');
});

test('a device that refuses is asked no further, and conforms', async () => {
  const reference = referenceBackend();
  const refusing: Backend = {
    ...reference,
    compile: async (graph, options) => {
      const isHalf = graph.types.some(({ dtype }) => dtype === 'float16');
      if (isHalf)
        throw new BackendError(`old does not compute graph "${graph.name}" in float16: it is too old.`);
      return reference.compile(graph, options);
    },
  };
  const report = await runConformance(refusing, { filter: ({ op }) => op === 'float16' });
  expect(new Set(report.results.map(({ outcome, reason }) => `${outcome} ${reason}`))).toEqual(
    new Set(['unsupported float16: it is too old.']),
  );
  expect(conforms(report)).toBe(true);
});
