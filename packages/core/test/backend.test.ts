/** The Backend contract as the reference interpreter keeps it: state, donation, disposal, and errors before a run. */
import {
  add, ArgumentError, compile, DisposedError, DTypeError, hostArray, mul, PytreeError, referenceBackend, ShapeError,
  spec, sub, trace, type Tensor,
} from '../src/index.js'; // prettier-ignore

type Step = { params: { w: Tensor; b: Tensor }; x: Tensor };

/** w ← w − x·b, b unchanged; the loss is w·x. */
const step = trace(
  ({ params, x }: Step) => ({
    params: { w: sub(params.w, mul(x, params.b)), b: add(params.b, 0) },
    loss: mul(params.w, x),
  }),
  { params: { w: spec([2]), b: spec([]) }, x: spec([2]) },
  { name: 'step' },
);
const backend = referenceBackend();
const host = { params: { w: hostArray([1, 2]), b: hostArray(0.5) }, x: hostArray([10, 20]) };

describe('compile', () => {
  it('runs trees of host arrays, and results of earlier runs', async () => {
    const compiled = await compile(backend, step);
    const first = await compiled.run(host);
    expect([...(await first.loss.read()).data]).toEqual([10, 40]);
    const second = await compiled.run({ params: first.params, x: host.x });
    expect([...(await second.params.w.read()).data]).toEqual([-9, -18]);
    // Nothing was donated: the first results are still there.
    expect([...(await first.params.w.read()).data]).toEqual([-4, -8]);
    expect((await first.loss.read()).dtype).toBe('float32');
  });

  it('donates state: what a run replaced is gone', async () => {
    const compiled = await compile(backend, step, { state: { params: 'params' } });
    const first = await compiled.run(host);
    const second = await compiled.run({ params: first.params, x: host.x });
    await expect(first.params.w.read()).rejects.toThrow(DisposedError);
    await expect(first.params.w.read()).rejects.toThrow(/disposed of, or donated/);
    await expect(compiled.run({ params: first.params, x: host.x })).rejects.toThrow(DisposedError);
    // Host arrays are never consumed, and neither are results that are no state.
    expect([...host.params.w.data]).toEqual([1, 2]);
    expect([...(await first.loss.read()).data]).toEqual([10, 40]);
    expect([...(await second.params.w.read()).data]).toEqual([-9, -18]);
  });

  it('reads copies, of every dtype', async () => {
    const { graph } = trace(({ i, b }: { i: Tensor; b: Tensor }) => ({ i: add(i, 1), b, x: add(i, 2) }), {
      i: spec([2], 'int32'),
      b: spec([2], 'bool'),
    });
    const executable = await backend.compile(graph);
    const given = { i: hostArray([1, 2], { dtype: 'int32' }), b: hostArray([1, 0], { dtype: 'bool' }) };
    const results = await executable.run(given);
    for (const array of Object.values(results)) (await array.read()).data.fill(1);
    expect([...(await results.i.read()).data]).toEqual([2, 3]);
    expect([...(await results.b.read()).data]).toEqual([1, 0]);
    expect([...given.b.data]).toEqual([1, 0]);
  });

  it('leaves state alone when a run fails', async () => {
    const compiled = await compile(backend, step, { state: { params: 'params' } });
    const { params } = await compiled.run(host);
    await expect(compiled.run({ params, x: hostArray([1]) })).rejects.toThrow(ShapeError);
    expect([...(await params.w.read()).data]).toEqual([-4, -8]);
  });

  it('stops before a run that was aborted', async () => {
    const compiled = await compile(backend, step);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(compiled.run(host, { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('cannot be used after it was disposed of; its results can', async () => {
    const compiled = await compile(backend, step);
    const { loss } = await compiled.run(host);
    await compiled.dispose();
    await compiled.dispose();
    await expect(compiled.run(host)).rejects.toThrow(
      new DisposedError('The executable of graph "step" was disposed of.'),
    );
    expect([...(await loss.read()).data]).toEqual([10, 40]);
    loss.dispose();
    loss.dispose();
    await expect(loss.read()).rejects.toThrow(DisposedError);
  });

  it.each<[string, unknown, new (message?: string) => Error, string]>([
    ['a leaf that is missing', { params: { w: host.params.w }, x: host.x }, PytreeError, 'Inputs of "step": the trees differ in structure: leaf "params/b" is missing.'],
    ['a leaf too many', { ...host, y: host.x }, PytreeError, 'leaf "y" is not expected'],
    ['a leaf of another shape', { ...host, x: hostArray([[1, 2]]) }, ShapeError, 'Input "x" must be float32[2], got float32[1, 2].'],
    ['a leaf of another dtype', { ...host, x: hostArray([1, 2], { dtype: 'int32' }) }, DTypeError, 'Input "x" must be float32[2], got int32[2].'],
  ])('refuses %s', async (_, inputs, type, message) => {
    const compiled = await compile(backend, step);
    await expect(compiled.run(inputs as never)).rejects.toThrow(type);
    await expect(compiled.run(inputs as never)).rejects.toThrow(message);
  }); // prettier-ignore

  it.each<[string, Record<string, string>, new (message?: string) => Error, string]>([
    ['an input that is not there', { weights: 'params' }, PytreeError, 'state: graph "step" has no input "weights".'],
    ['an output that is not there', { params: 'weights' }, PytreeError, 'state: graph "step" has no output "weights/b" for "params/b".'],
    ['an output of another type', { 'params/b': 'params/w' }, ShapeError, 'state: output "params/w" is float32[2] and cannot replace "params/b", float32[].'],
  ])('refuses state with %s', async (_, state, type, message) => {
    await expect(compile(backend, step, { state })).rejects.toThrow(type);
    await expect(compile(backend, step, { state })).rejects.toThrow(message);
  }); // prettier-ignore
});

describe('an executable', () => {
  it('takes inputs by name, and says which are wrong', async () => {
    const executable = await backend.compile(step.graph);
    const inputs = { 'params/w': host.params.w, 'params/b': host.params.b, x: host.x };
    const { loss } = await executable.run(inputs);
    expect([...(await loss.read()).data]).toEqual([10, 40]);
    await expect(executable.run({ ...inputs, z: host.x })).rejects.toThrow(ArgumentError);
    await expect(executable.run({ x: host.x })).rejects.toThrow(
      'Input "params/b" of graph "step" is missing.',
    );
  });

  it('disposes of itself at the end of a scope', async () => {
    const executable = await backend.compile(step.graph);
    await executable[Symbol.asyncDispose]();
    await expect(executable.run({})).rejects.toThrow(DisposedError);
  });

  it('says where it runs', () => {
    expect(backend.describe()).toMatchObject({ backend: 'reference', device: 'cpu' });
  });
});
