/**
 * `@meanflow/formats`: the file formats of arrays, each once: random access to bytes, safetensors, npy and npz, zip. Nothing
 * in it knows Node; files are in `@meanflow/formats/node`, and what formats are made from in `@meanflow/formats/build`.
 */
export {
  blobAccess,
  bytesAccess,
  randomAccess,
  type Folder,
  type RandomAccess,
} from './access/random-access.js';
export {
  byteLength,
  readTensor,
  type Catalogue,
  type PassedOver,
  type PlainValue,
  type StoredTensor,
} from './catalogue.js';
export { type StoredDTypeName } from './dtypes.js';
export { type JsonObject, type JsonValue } from './json.js';
export { encodeNpy, encodeNpz, type ByteArray } from './numpy/encode.js';
export { decodeNpy, decodeNpz, readNpy, readNpz, type DecodeNpzOptions } from './numpy/npz.js';
export { decodeSafetensors, type Safetensors } from './safetensors/decode.js';
export { encodeSafetensors, type EncodeOptions, type SafetensorsMetadata } from './safetensors/encode.js';
export { type HeaderLimits } from './safetensors/header.js';
export { readSafetensors, verifyTensors, type SafetensorsFile } from './safetensors/reader.js';
export { openZip, type ZipArchive } from './zip/archive.js';
export { type ZipEntry, type ZipMethod } from './zip/directory.js';
