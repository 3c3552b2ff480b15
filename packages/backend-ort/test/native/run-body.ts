/** Runs a graph as the body of one fused call: in ONNX Runtime, by the library of our own kernels and nothing else. */
import { HostArray, hostDTypeOf, type Graph, type HostDTypeOf } from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { fromElements } from '../../src/elements.js';
import { inputName, outputName } from '../../src/lower-graph.js';
import { Blocks } from '../../src/native/blocks.js';
import { encodeBody } from '../../src/native/fused/encode.js';
import { HostMemory } from '../../src/native/host-memory.js';
import { kernelLibrary } from '../../src/native/kernel-library.js';
import { OrtLibrary } from '../../src/native/library.js';
import { NativeProgram } from '../../src/native/native-program.js';
import { withSessionOptions } from '../../src/native/session-options.js';
import { MEANFLOW_DOMAIN } from '../../src/onnx/model.js';
import { ModelBuilder } from '../../src/onnx/model-builder.js';
import { targets } from '../../src/targets.js';
import { ort } from '../support.js';

type Arrays = Readonly<Record<string, HostArray>>;

/** The body without composites, as `prepare` leaves what fused calls are made of. */
export const bodyOf = (graph: Graph): Graph => prepare(graph, { without: ['fuse'] });

/** @param words what to compute, where it is not what the graph says */
export async function runBody(
  graph: Graph,
  inputs: Arrays,
  words = encodeBody(bodyOf(graph)),
): Promise<Arrays> {
  if (words === undefined) throw new Error('The library cannot compute this body.');
  const body = bodyOf(graph);
  await ort();
  const library = await OrtLibrary.open(() => import('koffi'));
  const builder = new ModelBuilder(body.name, targets.cpu);
  const operands = body.inputs.map(({ name, value }) => builder.input(inputName(name), body.types[value]!));
  const types = body.outputs.map(({ value }) => body.types[value]!);
  const results = builder.nodeOfMany('Fused', operands, types, {
    attributes: { body: words },
    domain: MEANFLOW_DOMAIN,
  });
  body.outputs.forEach(({ name }, i) => builder.output(outputName(name), types[i]!, results[i]!));
  const model = builder.encode();

  const { api, environment, koffi } = library;
  const session = await withSessionOptions(library, 'cpu', {}, { intraOpNumThreads: 2 }, (options) => {
    api.RegisterCustomOpsLibrary_V2(options, kernelLibrary(koffi));
    return api.CreateSessionFromArray.async(environment, model, model.byteLength, options);
  });
  const program = new NativeProgram(library, session, body, new Blocks(new HostMemory(library)));
  try {
    const given = body.inputs.map(({ name }) => inputs[name]!);
    const blocks = await program.run(given, {
      signal: undefined,
      donate: () => {},
      isShared: () => false,
      moved: { hostToDeviceBytes: 0, deviceToHostBytes: 0 },
    });
    const elements = await Promise.all(blocks.map((block) => block.read()));
    return Object.fromEntries(
      body.outputs.map(({ name }, i) => [
        name,
        new HostArray<HostDTypeOf>(
          hostDTypeOf(types[i]!.dtype),
          types[i]!.shape,
          fromElements(types[i]!.dtype, elements[i]!),
        ),
      ]),
    );
  } finally {
    program.dispose();
  }
}
