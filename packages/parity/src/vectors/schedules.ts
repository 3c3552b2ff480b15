/** The case `unet-schedules`: the average that acts on every 16th step, run on the backend, and the rate's warm-up. */
import { compile, hostArray, spec, trace, type Backend, type Tensor } from '@meanflow/core';
import { ema, emaKey, warmUpSchedule } from '@meanflow/training';
import { compareNumber } from './compare-outputs.js';
import { at, numberOf, numbersOf, type ParityCase, type ParityRunner } from './parity-case.js';

/** Steps between updates of the average, and the rate at which warm-up begins: constants of the published code. */
const EVERY = 16;
const FIRST_RATE = 1e-8;
/** The averages are float32, a few roundings for each update. */
const EMA_TOLERANCE = 1e-6;
/** The rates are float64 on both sides. */
const RATE_TOLERANCE = 1e-12;

export const unetSchedules: ParityRunner = async (given, backend) => {
  const averages = numbersOf(given, 'ema', 'ema_after_step_k');
  const got = await averagesOf(given, backend, averages.length);
  const rates = numbersOf(given, 'lr', 'lr_used_at_step');
  const steps = numberOf(given, 'lr', 'warmup_iters');
  const schedule = warmUpSchedule(numberOf(given, 'lr', 'base'), steps, FIRST_RATE);
  const rateError = largestError(rates.map((_, step) => schedule(step)), rates); // prettier-ignore
  return [
    compareNumber('ema', largestError(got, averages), 0, EMA_TOLERANCE * Math.max(...averages.map(Math.abs))),
    compareNumber('lr', rateError, 0, RATE_TOLERANCE * Math.max(...rates)),
  ];
};

/** The average of a parameter that is k after step k, from 0. */
async function averagesOf(given: ParityCase, backend: Backend, steps: number): Promise<number[]> {
  const decay = numberOf(given, 'ema', 'decay');
  const every = at(given.facts, ['ema', 'every']);
  const average = ema({ decays: [decay], every: typeof every === 'number' ? every : EVERY, rampUp: false });
  const key = emaKey(decay);
  const traced = trace(
    ({ old, param, weight }: { old: Tensor; param: Tensor; weight: Tensor }) => ({
      next: average.update({ [key]: old }, param, { [key]: weight })[key]!,
    }),
    { old: spec([]), param: spec([]), weight: spec([]) },
    { name: 'ema' },
  );
  const compiled = await compile(backend, traced);
  const found: number[] = [];
  let old = 0;
  for (let step = 0; step < steps; step++) {
    const { next } = await compiled.run({
      old: hostArray(old),
      param: hostArray(step + 1),
      weight: hostArray(average.scalars(step)[key]!),
    });
    old = (await next.read()).item();
    next.dispose();
    found.push(old);
  }
  await compiled.dispose();
  return found;
}

function largestError(got: readonly number[], wanted: readonly number[]): number {
  const errors = wanted.map((value, i) => Math.abs(got[i]! - value));
  return errors.some(Number.isNaN) ? Infinity : Math.max(...errors);
}
