/** The typed storages that older pickles of PyTorch name instead of a dtype. */
import type { StoredDTypeName } from '@meanflow/formats';

/** Storages of elements that are not read: bytes of each element. */
export const unreadStorages: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
};

/** By name within `torch`. */
export const torchStorages: Readonly<Record<string, StoredDTypeName>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};
