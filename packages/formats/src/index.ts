/** `@meanflow/formats`: NumPy's npy and npz files, read strictly and written reproducibly, on bytes in memory. */
export { decodeNpy, encodeNpy } from './npy.js';
export { crc32 } from './checksums.js';
export { decodeNpz, encodeNpz, type DecodeNpzOptions } from './npz.js';
