/**
 * ONNX Runtime's native code makes typed arrays of the host's realm, and its JavaScript takes those of the realm that it was
 * loaded in. In a realm of its own (`node:vm`, Jest's environments, Vitest's vm pools) these differ, and it refuses its own
 * results (onnxruntime issue 16622). Here such a realm is taught that the host's typed arrays are typed arrays.
 */
interface NodeVm {
  runInThisContext(code: string): unknown;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: 'node:vm'): NodeVm | undefined };
}

const typedArrays = { Float32Array, Uint16Array, Int32Array, Uint8Array };

/**
 * Makes `instanceof` of this realm true for the host's typed arrays as well, of the kinds that graphs compute with. Where this
 * realm is the host's, and in browsers, it does nothing.
 */
export function acceptHostArrays(): void {
  const vm = (globalThis as Host).process?.getBuiltinModule?.('node:vm');
  if (vm === undefined) return;
  const isInstance = Function.prototype[Symbol.hasInstance];
  for (const [name, own] of Object.entries(typedArrays)) {
    const ofHost = vm.runInThisContext(name);
    if (ofHost === own || Object.hasOwn(own, Symbol.hasInstance)) continue;
    Object.defineProperty(own, Symbol.hasInstance, {
      value(this: unknown, value: unknown) {
        return isInstance.call(this, value) || (this === own && isInstance.call(ofHost, value));
      },
    });
  }
}
