/**
 * The globals of PyTorch from which something is made here. This is the whole list: nothing in it does anything but describe a
 * tensor, and whatever else a checkpoint names is passed over.
 */
import type { StoredDTypeName } from '@meanflow/formats';
import { GlobalReference, type KnownGlobal, PassOver, PickleProblem, Tuple } from '../pickle/values.js';
import { dtypesByName } from '@meanflow/formats/build';
import { torchStorages } from './storages.js';
import { rebuildTensor } from './objects.js';

/** What may be named but makes nothing. */
const mark: KnownGlobal = {};

/** `(storage, offset, size, stride, requires_grad, hooks, metadata)` */
const rebuildTensorV2: KnownGlobal = {
  call: ([storage, offset, size, stride, , , metadata]) => {
    if (metadata instanceof Map && [...metadata.values()].some(Boolean)) {
      throw new PassOver('a tensor that is a negated or conjugated view');
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
      throw new PassOver(`a tensor of the type ${name}`);
    }
    // None of them calls anything: through itself this one would lead deeper than the stack.
    if (rebuild.known?.call === undefined || !rebuild.name.startsWith('torch._utils.')) {
      throw new PassOver(`a tensor that is rebuilt by ${rebuild.name}`);
    }
    return rebuild.known.call(args.items);
  },
};

/** `device('cuda', 0)`, as the text `cuda:0`. */
function device([kind, index]: readonly unknown[]): string {
  if (typeof kind !== 'string' || (index !== undefined && typeof index !== 'number')) {
    throw new PassOver();
  }
  return index === undefined ? kind : `${kind}:${index}`;
}

const tensorTypes = ['torch.Tensor', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer'];

/** Tensors whose elements do not stand one after another, or are not there. */
const passOver = (what: string): KnownGlobal => ({
  call: () => {
    throw new PassOver(what);
  },
});

/** What holds a tensor and something that does not matter here. */
const first: KnownGlobal = { call: ([value]) => value };

function dtypeOf(value: unknown): StoredDTypeName {
  const name = value instanceof GlobalReference ? value.name.replace(/^torch\./, '') : '';
  if (Object.hasOwn(dtypesByName, name)) return dtypesByName[name]!;
  if (name === '') throw new PickleProblem('a tensor has no dtype');
  throw new PassOver(`a tensor of torch.${name}`);
}

const marks = (names: Iterable<string>): Record<string, KnownGlobal> =>
  Object.fromEntries([...names].map((name) => [name, mark]));

/** By module and name. */
export const torchGlobals: Readonly<Record<string, Readonly<Record<string, KnownGlobal>>>> = {
  torch: {
    ...marks(Object.keys(torchStorages)),
    ...marks(Object.keys(dtypesByName)),
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
    // An array of NumPy on the way from a device that pickles no storages.
    _rebuild_device_tensor_from_numpy: first,
    _rebuild_sparse_tensor: passOver('a sparse tensor'),
    _rebuild_sparse_csr_tensor: passOver('a sparse tensor'),
    _rebuild_nested_tensor: passOver('a nested tensor'),
    _rebuild_qtensor: passOver('a quantised tensor'),
    _rebuild_meta_tensor_no_storage: passOver('a tensor without elements (on the meta device)'),
    _rebuild_wrapper_subclass: passOver('a tensor of an unknown class'),
  },
  'torch._tensor': { _rebuild_from_type_v2: rebuildFromType },
  'torch.nn.parameter': { Parameter: first, Buffer: first },
}; // prettier-ignore
