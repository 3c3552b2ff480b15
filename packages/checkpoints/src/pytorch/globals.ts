/**
 * The globals of PyTorch that a checkpoint may name, and what is made of them here. This is the whole list: there is no
 * class of a user's own, no module, and nothing that does anything but describe a tensor.
 */
import type { StoredDTypeName } from '@meanflow/formats';
import { GlobalReference, type KnownGlobal, PickleProblem, Tuple } from '../pickle/values.js';
import { torchDTypes, torchStorages } from './dtypes.js';
import { rebuildTensor } from './objects.js';

/** What may be named but makes nothing. */
const mark: KnownGlobal = {};

/** `(storage, offset, size, stride, requires_grad, hooks, metadata)` */
const rebuildTensorV2: KnownGlobal = {
  call: ([storage, offset, size, stride, , , metadata]) => {
    if (metadata instanceof Map && [...metadata.values()].some(Boolean)) {
      throw new PickleProblem('a tensor is a negated or conjugated view');
    }
    return rebuildTensor(storage, offset, size, stride);
  },
};

/** `(storage, offset, size, stride, requires_grad, hooks, dtype, metadata)` */
const rebuildTensorV3: KnownGlobal = {
  call: ([storage, offset, size, stride, , , dtype]) =>
    rebuildTensor(storage, offset, size, stride, dtypeOf(dtype)),
};

/** Tensors of a subclass: `(rebuild, type, arguments, state)`. */
const rebuildFromType: KnownGlobal = {
  call: ([rebuild, subclass, args]) => {
    const isTensor = subclass instanceof GlobalReference && tensorTypes.includes(subclass.name);
    if (!isTensor || !(rebuild instanceof GlobalReference) || !(args instanceof Tuple)) {
      const name = subclass instanceof GlobalReference ? subclass.name : 'an unknown type';
      throw new PickleProblem(`a tensor is of the type ${name}`);
    }
    // None of them calls anything: through itself this one would lead deeper than the stack.
    if (rebuild.known.call === undefined || !rebuild.name.startsWith('torch._utils.')) {
      throw new PickleProblem(`a tensor is rebuilt by ${rebuild.name}`);
    }
    return rebuild.known.call(args.items);
  },
};

/** `device('cuda', 0)`, as the text `cuda:0`. */
function device([kind, index]: readonly unknown[]): string {
  if (typeof kind !== 'string' || (index !== undefined && typeof index !== 'number')) {
    throw new PickleProblem('a device is no name with a number');
  }
  return index === undefined ? kind : `${kind}:${index}`;
}

const tensorTypes = ['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer'];

/** What holds a tensor and something that does not matter here. */
const first: KnownGlobal = { call: ([value]) => value };

function dtypeOf(value: unknown): StoredDTypeName {
  const name = value instanceof GlobalReference ? value.name.replace(/^torch\./, '') : '';
  if (Object.hasOwn(torchDTypes, name)) return torchDTypes[name];
  throw new PickleProblem(`a tensor has the dtype ${name === '' ? 'of nothing' : `torch.${name}`}`);
}

const marks = (names: Iterable<string>): Record<string, KnownGlobal> =>
  Object.fromEntries([...names].map((name) => [name, mark]));

/** By module and name. */
export const torchGlobals: Readonly<Record<string, Readonly<Record<string, KnownGlobal>>>> = {
  torch: {
    ...marks(Object.keys(torchStorages)),
    ...marks(Object.keys(torchDTypes)),
    Tensor: mark,
    Size: first,
    device: { call: device },
  },
  'torch.storage': { UntypedStorage: mark },
  'torch._utils': {
    _rebuild_tensor: { call: ([storage, offset, size, stride]) => rebuildTensor(storage, offset, size, stride) },
    _rebuild_tensor_v2: rebuildTensorV2,
    _rebuild_tensor_v3: rebuildTensorV3,
    _rebuild_parameter: first,
    _rebuild_parameter_with_state: first,
  },
  'torch._tensor': { _rebuild_from_type_v2: rebuildFromType },
  'torch.nn.parameter': { Parameter: first, Buffer: first },
}; // prettier-ignore
