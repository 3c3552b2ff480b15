/** What a value is, for errors about values that should have been something else: `a Float32Array of 4`, `null`, `"text"`. */
import { quoted } from './printable.js';
import { formatType, type HostDType, type Shape } from './types.js';

/** Something with a dtype and a shape: a tensor, an array of the host or of a device. */
interface Typed {
  readonly dtype: HostDType;
  readonly shape: Shape;
}

/** The name of a typed array's class, such as `Float32Array`, whatever realm it is of; undefined for anything else. */
export function typedArrayName(value: unknown): string | undefined {
  // The getter lives on the prototype that all typed arrays of a realm share.
  return ArrayBuffer.isView(value)
    ? (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag]
    : undefined;
}

export function describeValue(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const view = typedArrayName(value);
  if (view !== undefined) return `${an(view)}${'length' in value ? ` of ${String(value.length)}` : ''}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isTyped(value)) return `${kindOf(value)} ${formatType(value)}`;
  const { name } = (value.constructor ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' && name !== 'Object' ? an(name) : 'an object';
}

function kindOf(value: Typed): string {
  if ('read' in value) return 'a device array';
  return 'data' in value ? 'a HostArray' : 'a tensor';
}

function an(name: string): string {
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function isTyped(value: object): value is Typed {
  const { dtype, shape } = value as Partial<Typed>;
  return typeof dtype === 'string' && Array.isArray(shape);
}
