/** `@meanflow/checkpoints`: what others publish, read without Python, and models of our own; for any platform. */
export {
  blobAccess,
  bytesAccess,
  randomAccess,
  type Folder,
  type RandomAccess,
} from './access/random-access.js';
export {
  byteLength,
  describeTensor,
  readTensor,
  type Catalogue,
  type PlainValue,
  type StoredTensor,
} from './catalogue.js';
export { openCheckpointFile, openCheckpointFolder } from './open.js';
