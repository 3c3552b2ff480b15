/**
 * Which of core's own composites a call is. A backend's kernel stands for one definition, and a definition is known by
 * its identity: anyone may call a composite of theirs `softmax`, with a mask inside, and only its decomposition says what
 * it means. A definition from a second copy of core in the process is not this copy's, and is inlined like any other.
 */
import type { CompositeCall } from '../tensor.js';
import {
  geluDefinition,
  geluTanhDefinition,
  reluDefinition,
  siluDefinition,
  softplusDefinition,
} from './activations.js';
import { attentionDefinition } from './attention-definition.js';
import { fusedDefinition } from './fused.js';
import { rmsDefinition, softmaxDefinition, standardizeDefinition } from './normalization.js';
import { adamDefinition } from './optimizer.js';

const definitions = {
  relu: reluDefinition,
  silu: siluDefinition,
  gelu: geluDefinition,
  geluTanh: geluTanhDefinition,
  softplus: softplusDefinition,
  softmax: softmaxDefinition,
  layerNorm: standardizeDefinition,
  rmsNorm: rmsDefinition,
  attention: attentionDefinition,
  adamUpdate: adamDefinition,
  fused: fusedDefinition,
} as const;

/** A composite of core's own, by its name. */
export type BuiltInComposite = keyof typeof definitions;

/** Their names, for a backend that has kernels for some. */
export const builtInComposites = Object.keys(definitions) as readonly BuiltInComposite[];

const names = new Map<unknown, BuiltInComposite>(
  builtInComposites.map((name) => [Object.freeze(definitions[name]), name]),
);

/**
 * The name of a call's definition if it is this core's own, and undefined for every other, whatever that is called:
 * what `hasKernel` asks before it looks for a kernel.
 */
export function builtInComposite({
  definition,
}: Pick<CompositeCall, 'definition'>): BuiltInComposite | undefined {
  return names.get(definition);
}
