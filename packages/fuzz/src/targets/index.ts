/** Every target. A new one is a file beside this and a line here. */
import type { Target } from '../target.js';
import { msgpack, pickle, pytorch, pytorchLegacy } from './checkpoint-files.js';
import { ocdbt, orbax, shardedSafetensors, zarr } from './checkpoint-folders.js';
import { cifar, csv, idx, statistics } from './data-files.js';
import { jpeg, otherImages, png } from './images.js';
import { configs, json } from './json.js';
import { npy, npz } from './numpy.js';
import { onnx } from './onnx.js';
import { checkpoints, classifiers, models, runFolders } from './own-files.js';
import { checkedSafetensors, safetensors } from './safetensors.js';
import { zip } from './zip.js';

export const targets: readonly Target[] = [
  ...[safetensors, checkedSafetensors, shardedSafetensors, npy, npz, zip],
  ...[pytorch, pytorchLegacy, pickle, msgpack, zarr, ocdbt, orbax],
  ...[checkpoints, runFolders, models, classifiers],
  ...[csv, idx, cifar, statistics],
  ...[png, jpeg, otherImages],
  ...[json, configs, onnx],
];
