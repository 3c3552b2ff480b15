/**
 * `@meanflow/formats/build`: what formats are made from, for who reads or writes one of his own: bytes in order and in pieces, strided
 * arrays, dtypes by name, checksums, what compresses, JSON within limits, and safetensors in parts, for a file that carries more than
 * arrays.
 */
export { ForwardReader } from './access/forward-reader.js';
export { collect, collectSome, swapped, wholeElements, type Pieces } from './access/pieces.js';
export { piecesOf, readAll, readText, section } from './access/random-access.js';
export { columnMajorStrides, extent, gather, isContiguous, type StridedLayout } from './access/strided.js';
export { checkedCatalogue, checkShape, describeTensor } from './catalogue.js';
export { crc32, crc32c } from './checksums.js';
export { decompressed, type Codec } from './compression/decompress.js';
export { dtypesByName, storedDTypes } from './dtypes.js';
export { isObject, parseJson, type JsonLimits } from './json.js';
export { numpyDType } from './numpy/dtypes.js';
export {
  safetensorsChunks,
  safetensorsLayout,
  safetensorsParts,
  safetensorsPartsOf,
  type FilePart,
  type SafetensorsLayout,
  type WrittenTensor,
} from './safetensors/encode.js';
