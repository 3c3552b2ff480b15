/** What a user reads when an op is called wrongly: error class, op, operands, what is wrong, and the user's line. */
import {
  add, argMax, attention, ArgumentError, broadcastTo, cast, concat, constant, conv, dotGeneral, DTypeError, einsum, exp,
  expandDims, gather, iota, layerNorm, logicalAnd, logicalNot, matmul, max, mean, type MeanflowError, mul, pad, pow, reshape,
  reverse, scatterAdd, ShapeError, silu, slice, softmax, split, sum, trace, transpose, where, spec, type Tensor,
} from '../../src/index.js'; // prettier-ignore

const x = constant([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
const v = constant([1, 2, 3]);
const n = constant([1, 2], 'int32');
const b = constant([1, 0], 'bool');
const missing = undefined as unknown as Tensor;

const cases: [name: string, call: () => unknown, type: new (message?: string) => MeanflowError, message: RegExp][] = [
  ['add of shapes that do not broadcast', () => add(x, constant([1, 2])), ShapeError, /^add\(float32\[2, 3\], float32\[2\]\): shapes \[2, 3\] and \[2\] do not broadcast: axis -1 has sizes 3 and 2\./],
  ['add of different dtypes', () => add(x, n), DTypeError, /^add\(float32\[2, 3\], int32\[2\]\): takes two operands of one dtype \(float32 or float16 or int32\), got float32 and int32\./],
  ['a method', () => x.mul(constant([1, 2])), ShapeError, /^mul\(float32\[2, 3\], float32\[2\]\)/],
  ['a number that int32 has not', () => mul(n, 0.5), ArgumentError, /^mul\(int32\[2\], 0\.5\): 0\.5 is not a value of int32; cast the tensor first\./],
  ['a number that bool has not', () => constant(2, 'bool'), ArgumentError, /2 is not a value of bool/],
  ['an operand that is missing', () => add(x, missing), ArgumentError, /^add\(float32\[2, 3\], undefined\): operand 2 is undefined, not a tensor\./],
  ['another operand that is missing', () => matmul(missing, x), ArgumentError, /^matmul\(undefined, float32\[2, 3\]\): operand 1 is undefined/],
  ['a ragged constant', () => constant([[1], [1, 2]]), ShapeError, /^constant\(\): Nested values are ragged: found \[1\] next to \[2\]\./],
  ['exp of integers', () => exp(n), DTypeError, /^exp\(int32\[2\]\): takes float32 or float16, got int32\./],
  ['not of floats', () => logicalNot(x), DTypeError, /^not\(float32\[2, 3\]\): takes bool, got float32\./],
  ['and of floats', () => logicalAnd(x, x), DTypeError, /^and\(.*\): takes two operands of one dtype \(bool\)/],
  ['pow of integers', () => pow(n, n), DTypeError, /^pow\(int32\[2\], int32\[2\]\)/],
  ['where with a float condition', () => where(x, x, x), DTypeError, /^where\(.*takes a bool condition, got float32\./],
  ['where with branches of two dtypes', () => where(b, v, n), DTypeError, /two branches of one dtype, got float32 and int32\./],
  ['sum over an axis that is not there', () => sum(x, 2), ArgumentError, /^sum\(float32\[2, 3\]\): axis 2 is out of range for a tensor of rank 2\./],
  ['sum over an axis twice', () => sum(x, [1, -1]), ArgumentError, /axes \[1, -1\] name an axis twice\./],
  ['sum of bools', () => sum(b), DTypeError, /^sum\(bool\[2\]\): takes float32, float16 or int32, got bool; cast first\./],
  ['mean of integers', () => mean(n), DTypeError, /^mean\(int32\[2\]\): takes float32 or float16, got int32; cast first\./],
  ['max over a fractional axis', () => max(x, 0.5), ArgumentError, /axis 0\.5 is out of range/],
  ['argMax of nothing', () => argMax(constant([]), 0), ArgumentError, /^argMax\(float32\[0\]\): axis 0 has no elements/],
  ['reshape to another size', () => reshape(x, [4]), ShapeError, /^reshape\(float32\[2, 3\]\): cannot reshape \[2, 3\] \(6 elements\) to \[4\]\./],
  ['reshape with two unknowns', () => reshape(x, [-1, -1]), ShapeError, /cannot reshape \[2, 3\] to \[-1, -1\]/],
  ['reshape to negative sizes', () => reshape(x, [-2, -3]), ShapeError, /\[-2, -3\] is not a shape: dimensions are non-negative integers/],
  ['reshape of nothing with an unknown', () => reshape(constant([]), [0, -1]), ShapeError, /cannot reshape \[0\] to \[0, -1\]/],
  ['broadcastTo a smaller shape', () => broadcastTo(x, [3]), ShapeError, /^broadcastTo\(float32\[2, 3\]\): \[2, 3\] does not broadcast to \[3\]\./],
  ['broadcastTo a fractional shape', () => broadcastTo(constant(1), [1.5]), ShapeError, /\[1\.5\] is not a shape/],
  ['transpose with an axis twice', () => transpose(x, [0, 0]), ArgumentError, /\[0, 0\] is not a permutation of the axes of \[2, 3\]/],
  ['slice past the end', () => slice(x, [0, 0], [2, 4]), ArgumentError, /slice 0:4:1 is out of range for axis 1 of \[2, 3\]/],
  ['slice with too few starts', () => slice(x, [0], [1]), ArgumentError, /starts needs one integer per axis of \[2, 3\], got \[0\]/],
  ['pad by less than nothing', () => pad(v, { low: [-1] }), ArgumentError, /padding is not negative; use slice to crop/],
  ['concat of nothing', () => concat([]), ArgumentError, /^concat\(\)/],
  ['concat of shapes that differ', () => concat([x, v]), ShapeError, /\[2, 3\] and \[3\] do not concatenate along axis 0: other axes must agree/],
  ['concat of dtypes that differ', () => concat([constant([1, 2]), n]), DTypeError, /tensors of float32 and int32 do not concatenate/],
  ['split by lengths that do not add up', () => split(x, [1, 1]), ShapeError, /^split\(float32\[2, 3\]\): lengths \[1, 1\] do not add up to axis 1/],
  ['reverse of an axis that is not there', () => reverse(x, [-3]), ArgumentError, /axis -3 is out of range/],
  ['expandDims out of range', () => expandDims(x, 4), ArgumentError, /^expandDims\(float32\[2, 3\]\): axis 4 is out of range/],
  ['iota of a bad axis', () => iota([2], 1), ArgumentError, /^iota\(\): axis 1 is out of range for rank 1/],
  ['iota of a bad shape', () => iota([-1]), ShapeError, /\[-1\] is not a shape/],
  ['matmul of inner sizes that differ', () => matmul(x, x), ShapeError, /^matmul\(float32\[2, 3\], float32\[2, 3\]\): .*contracting axes \[1\] and \[0\] have sizes \[3\] and \[2\]\./],
  ['matmul with a vector on the right', () => matmul(x, v), ShapeError, /^matmul\(.*right one of rank ≥ 2/],
  ['dotGeneral with an axis in two roles', () => dotGeneral(x, x, { lhsBatch: [0], rhsBatch: [0], lhsContracting: [0], rhsContracting: [1] }), ArgumentError, /left operand: batch \[0\] and contracting \[0\] axes are not distinct axes of \[2, 3\]/],
  ['dotGeneral of integers', () => matmul(cast(x, 'int32'), cast(x, 'int32')), DTypeError, /takes two operands of float32 or float16, got int32 and int32/],
  ['einsum that is not an equation', () => einsum('ij', x, x), ArgumentError, /an equation reads like "ik,kj->ij"/],
  ['einsum with too few letters', () => einsum('i,jk->ik', x, x), ShapeError, /"i" needs one distinct letter per axis of \[2, 3\]/],
  ['einsum that forgets a letter', () => einsum('ij,kl->ik', x, x), ArgumentError, /the result "ik" must name each of "ijkl" once/],
  ['conv of a matrix', () => conv(x, x), ShapeError, /needs \[batch, channels, \.\.\.space\]/],
  ['conv with groups that do not fit', () => conv(constant([[[1, 2]]]), constant([[[1]]]), { groups: 2 }), ShapeError, /2 group\(s\) of 1 channels do not fit 1 channels and 1 features/],
  ['conv with no groups', () => conv(constant([[[1, 2]]]), constant([[[1]]]), { groups: 0 }), ArgumentError, /groups is a positive integer, got 0/],
  ['conv with a stride of 0', () => conv(constant([[[1, 2]]]), constant([[[1]]]), { strides: [0] }), ArgumentError, /strides needs 1 positive integers, got \[0\]/],
  ['conv with padding for another rank', () => conv(constant([[[1, 2]]]), constant([[[1]]]), { padding: [[0, 0], [0, 0]] }), ArgumentError, /padding needs 1 pairs of integers/],
  ['gather by floats', () => gather(x, v), DTypeError, /^gather\(.*takes int32 indices, got float32/],
  ['gather from a scalar', () => gather(constant(1), n), ShapeError, /needs a table of rank 1 or more/],
  ['scatterAdd of updates that do not fit', () => scatterAdd(v, n, 2), ShapeError, /updates \[3\] do not begin with the indices' shape \[2\]/],
  ['scatterAdd into a fractional table', () => scatterAdd(x, n, 1.5), ArgumentError, /rows is a count, got 1\.5/],
  ['a composite of the wrong dtype', () => silu(n), DTypeError, /^silu\(int32\[2\]\): takes float32 or float16, got int32\./],
  ['softmax of a scalar', () => softmax(constant(1)), ArgumentError, /^softmax\(float32\[\]\): axis -1 is out of range/],
  ['layerNorm with a scale that does not fit', () => layerNorm(x, { scale: n }), DTypeError, /^mul\(float32\[2, 3\], int32\[2\]\)/],
  ['attention of operands that do not fit', () => attention(reshape(x, [1, 1, 2, 3]), reshape(x, [1, 1, 3, 2]), reshape(x, [1, 1, 3, 2])), ShapeError, /^attention\(float32\[1, 1, 2, 3\], .*contracting axes/],
]; // prettier-ignore

describe('a wrong call', () => {
  it.each(cases)('%s', (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
    // The last line is the caller's, in this file, also where many of the package's own frames lie between.
    expect(call).toThrow(/\n {4}at .*errors\.test\.ts:\d+:\d+$/);
  });

  it('keeps an error that is no diagnosis as it is', () => {
    const failure = new TypeError('a bug of the user');
    expect(() => trace(() => { throw failure; }, spec([]))).toThrow(failure); // prettier-ignore
  });

  it('names the class, so that logs read well', () => {
    expect(() => add(x, n)).toThrow(expect.objectContaining({ name: 'DTypeError' }));
  });

  it('leaves no trace of itself: the next error is told its own op', () => {
    expect(() => matmul(x, x)).toThrow(/^matmul/);
    expect(() => exp(n)).toThrow(/^exp/);
  });
});
