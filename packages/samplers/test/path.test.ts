import { type HostArray, hostArray, jvp, ShapeError, spec, trace } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { guidedVelocity, paths, type PathName } from '../src/index.js';

const shape = [2, 1, 2];
const x = hostArray([1, 2, 3, 4], { shape });
const noise = hostArray([-1, 0, 1, 6], { shape });
const names = Object.keys(paths) as PathName[];

function run(graph: ReturnType<typeof trace>['graph'], inputs: Record<string, HostArray>): number[] {
  return [...interpret(graph, inputs).output!.data];
}

/** z_t and its velocity, and what z_t changes by in time, all in float64. */
function along(name: PathName, t: readonly number[]) {
  const { point, velocity } = paths[name];
  const { graph } = trace(
    (given) => {
      const [z, change] = jvp((t: typeof given.t) => point(given.x, given.noise, t), [given.t], [1]);
      return { z, change, v: velocity(given.x, given.noise, given.t) };
    },
    { x, noise, t: spec([2]) },
  );
  const float64 = { x: x.to('float64'), noise: noise.to('float64') };
  const { z, change, v } = interpret(graph, { ...float64, t: hostArray(t, { dtype: 'float64' }) });
  return { z: [...z!.data], change: [...change!.data], v: [...v!.data] };
}

function expectClose(given: readonly number[], expected: readonly number[]): void {
  expect(given).toHaveLength(expected.length);
  given.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
}

test.each(names)('the %s path runs from data to noise, one time for each row', (name) => {
  expect(paths[name].name).toBe(name);
  expectClose(along(name, [0, 1]).z, [1, 2, 1, 6]);
  expectClose(along(name, [1, 0]).z, [-1, 0, 3, 4]);
});

test.each(names)('the velocity of the %s path is the derivative of its point', (name) => {
  const { change, v } = along(name, [0.3, 0.85]);
  expectClose(v, change);
});

test('points half way and a quarter of the way', () => {
  expectClose(along('linear', [0.5, 0.25]).z, [0, 1, 2.5, 4.5]);
  expectClose(along('linear', [0.5, 0.25]).v, [-2, -2, -2, 2]);
  // At t = 1/2 both weights are √½, at t = 1/3 they are √¾ and ½.
  const [half, most] = [Math.SQRT1_2, Math.sqrt(0.75)];
  expectClose(along('cosine', [0.5, 1 / 3]).z, [0, 2 * half, 3 * most + 0.5, 4 * most + 3]);
});

test('times must be one for each row', () => {
  const wrong = () => trace(({ x, t }) => paths.linear.point(x, x, t), { x, t: spec([3]) });
  expect(wrong).toThrow(ShapeError);
  expect(wrong).toThrow(/\[2\].*got \[3\]/);
});

test('guidance goes from the unconditional velocity past the conditional one', () => {
  const { graph } = trace(({ x, noise, w }) => guidedVelocity(x, noise, w), { x, noise, w: spec([2]) });
  expect(run(graph, { x, noise, w: hostArray([1, 3]) })).toEqual([1, 2, 7, 0]);
});
