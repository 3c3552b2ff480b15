/**
 * `@meanflow/formats`: the file formats of arrays, each once: random access to bytes, safetensors, npy and npz, zip and
 * what compresses, dtypes, checksums, JSON. Nothing in it knows Node; files are in `@meanflow/formats/node`.
 */
export { ForwardReader } from './access/forward-reader.js';
export { collect, collectSome, swapped, wholeElements, type Pieces } from './access/pieces.js';
export {
  allocated,
  blobAccess,
  bytesAccess,
  piecesOf,
  randomAccess,
  readAll,
  readText,
  section,
  type Folder,
  type RandomAccess,
} from './access/random-access.js';
export { columnMajorStrides, extent, gather, isContiguous, type StridedLayout } from './access/strided.js';
export {
  byteLength,
  checkedCatalogue,
  checkShape,
  describeTensor,
  nameOfTensor,
  readTensor,
  type Catalogue,
  type PassedOver,
  type PlainValue,
  type StoredTensor,
} from './catalogue.js';
export { crc32, crc32c } from './checksums.js';
export { decompressed, type Codec } from './compression/decompress.js';
export { dtypesByName, isStoredDType, storedDTypes, type StoredDTypeName } from './dtypes.js';
export { isObject, parseJson, type JsonLimits, type JsonObject, type JsonValue } from './json.js';
export { numpyDType } from './numpy/dtypes.js';
export { encodeNpy, encodeNpz, type ByteArray } from './numpy/encode.js';
export { decodeNpy, decodeNpz, readNpy, readNpz, type DecodeNpzOptions } from './numpy/npz.js';
export { decodeSafetensors, type Safetensors } from './safetensors/decode.js';
export {
  encodeSafetensors,
  safetensorsChunks,
  safetensorsLayout,
  safetensorsParts,
  type EncodeOptions,
  type FilePart,
  type SafetensorsLayout,
  type SafetensorsMetadata,
  type WrittenTensor,
} from './safetensors/encode.js';
export {
  headerEnd,
  readSafetensorsHeader,
  type HeaderLimits,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors/header.js';
export { readSafetensors, verifyTensors, type SafetensorsFile } from './safetensors/reader.js';
export { openZip, type ZipArchive } from './zip/archive.js';
export { type ZipEntry, type ZipMethod } from './zip/directory.js';
