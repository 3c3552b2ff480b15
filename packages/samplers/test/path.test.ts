import { type HostArray, hostArray, ShapeError, spec, trace } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { conditionalVelocity, guidedVelocity, interpolate } from '../src/index.js';

const shape = [2, 1, 2];
const x = hostArray([1, 2, 3, 4], { shape });
const noise = hostArray([-1, 0, 1, 6], { shape });

function run(graph: ReturnType<typeof trace>['graph'], inputs: Record<string, HostArray>): number[] {
  return [...interpret(graph, inputs).output.data];
}

test('the path runs from data to noise, one time for each row', () => {
  const { graph } = trace(({ x, noise, t }) => interpolate(x, noise, t), { x, noise, t: spec([2]) });
  expect(run(graph, { x, noise, t: hostArray([0, 1]) })).toEqual([1, 2, 1, 6]);
  expect(run(graph, { x, noise, t: hostArray([0.5, 0.25]) })).toEqual([0, 1, 2.5, 4.5]);
});

test('its velocity is noise less data', () => {
  const { graph } = trace(({ x, noise }) => conditionalVelocity(x, noise), { x, noise });
  expect(run(graph, { x, noise })).toEqual([-2, -2, -2, 2]);
});

test('times must be one for each row', () => {
  const wrong = () => trace(({ x, t }) => interpolate(x, x, t), { x, t: spec([3]) });
  expect(wrong).toThrow(ShapeError);
  expect(wrong).toThrow(/\[2\].*got \[3\]/);
});

test('guidance goes from the unconditional velocity past the conditional one', () => {
  const { graph } = trace(({ x, noise, w }) => guidedVelocity(x, noise, w), { x, noise, w: spec([2]) });
  expect(run(graph, { x, noise, w: hostArray([1, 3]) })).toEqual([1, 2, 7, 0]);
});
