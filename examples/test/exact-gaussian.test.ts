/** The exact Gaussian: the closed form has its known values, and a short training comes near it. */
import { runExample } from './run-example.js';

test('u is known, and learnt', async () => {
  const { exports, printed } = await runExample(() => import('../exact-gaussian.js'), ['300']);
  const { exactVelocity, errors } = exports;
  expect(exactVelocity(0.3, 0, 1)).toBeCloseTo(-1.35, 9);
  expect(exactVelocity(-1.2, 0, 1)).toBeCloseTo(-2.1, 9);
  expect(exactVelocity(0.7, 0.2, 0.9)).toBeCloseTo(-1.1041091659, 9);
  expect(exactVelocity(1.1, 0.5, 0.6)).toBeCloseTo(-0.9194173824, 9);
  expect(printed).toHaveLength(4);
  expect(errors.at(-1)).toBeLessThan(errors[0] / 4);
});
