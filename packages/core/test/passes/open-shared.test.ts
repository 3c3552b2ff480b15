/** Composites that are taken apart though the backend has a kernel for them. */
import { attention, jvp, mul, spec, sum, trace, type Tensor } from '../../src/index.js';
import { builtInComposite, prepare, type CompositeCall } from '../../src/backend-door.js';

const names = (f: (x: Tensor) => Tensor, hasKernel: (call: CompositeCall) => boolean): string[] => {
  const { graph } = trace(f, spec([1, 2, 4, 8]));
  return prepare(graph, { hasKernel }).instructions.flatMap((instruction) =>
    instruction.op === 'composite' ? [instruction.attributes.definition.name] : [],
  );
};

describe('openShared', () => {
  const isAttention = (call: CompositeCall) => builtInComposite(call) === 'attention';

  it('leaves whole what nobody shares', () => {
    expect(names((x) => attention(x, x, x), isAttention)).toEqual(['attention']);
  });

  it('leaves nothing inside that the backend has no kernel for', () => {
    // The derivative needs the same softmax, which attention holds.
    const both = (x: Tensor) => {
      const [y, tangent] = jvp((q: Tensor) => attention(q, x, x), [x], [mul(x, 2)]);
      return sum(mul(y, tangent));
    };
    expect(names(both, isAttention)).toEqual([]);
    const isBoth = (call: CompositeCall) => isAttention(call) || builtInComposite(call) === 'softmax';
    expect(names(both, isBoth)).not.toContain('attention');
  });
});
