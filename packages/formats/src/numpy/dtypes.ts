/** NumPy's names of dtypes, as `.npy`, zarr and flax write them, and those of `ml_dtypes` beside them. */
import { DataError } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import { dtypesByName, type StoredDTypeName } from '../dtypes.js';

/** By kind and bytes, as in `<f4`. */
const byCode: Readonly<Record<string, StoredDTypeName>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
};

/** By name, as in `float32`. */
const byName: Readonly<Record<string, StoredDTypeName>> = { ...dtypesByName, bool_: 'BOOL' };

/**
 * A dtype by its name (`float32`) or its code (`<f4`, `|b1`).
 *
 * @throws {DataError} when the elements are objects, texts, complex numbers or anything else that is not a plain number
 */
export function numpyDType(
  name: string,
  source: string,
): { readonly dtype: StoredDTypeName; readonly isBigEndian: boolean } {
  const named = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (named !== undefined) return { dtype: named, isBigEndian: false };
  const [, order, code] = /^([<>|=]?)([a-zA-Z]\d+)$/.exec(name) ?? [];
  const dtype = code !== undefined && Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  if (dtype !== undefined) return { dtype, isBigEndian: order === '>' };
  const reason = name.includes('O') ? ' Python objects are a pickle, which is not run.' : '';
  throw new DataError(
    `${source} has elements of dtype ${quoted(name)}; floats, integers and bools can be read.${reason}`,
  );
}
