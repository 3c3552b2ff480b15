/** describeInChromium: the kit in Chromium as tests of a backend's own suite, by one call; skipped where it cannot run. */
import type { ConformanceOptions } from '../run.js';
import { describeReport, type SuiteFunctions } from '../describe.js';
import type { PageProgram } from './bundle.js';
import { conformanceInChromium } from './run.js';

/** What the kit needs of a test runner, which can skip suites. */
export interface SkippingTestFunctions extends Pick<SuiteFunctions, 'test'> {
  readonly describe: SuiteFunctions['describe'] & { readonly skip: SuiteFunctions['describe'] };
}

/**
 * Why a backend cannot run in the Chromium of this machine, if it cannot. Software is taken: what is tested is the backend,
 * not the device.
 *
 * @throws {BackendError} with the reason, where MEANFLOW_REQUIRE_CHROMIUM or MEANFLOW_REQUIRE_WEBGPU is 1 in the environment
 */
export async function absenceInChromium(program: PageProgram, backend: string): Promise<string | undefined> {
  try {
    await conformanceInChromium(program, backend, { allowSoftware: true, filter: () => false });
    return undefined;
  } catch (error) {
    const { MEANFLOW_REQUIRE_CHROMIUM: chromium, MEANFLOW_REQUIRE_WEBGPU: webgpu } = process.env;
    if (chromium === '1' || webgpu === '1') throw error;
    return (error as Error).message.replaceAll('\n', ' ');
  }
}

/**
 * Defines a suite with one test for each op and aspect, of a backend in the page; skipped where it cannot run.
 *
 * @returns the reason, then
 */
export async function describeInChromium(
  program: PageProgram,
  backend: string,
  { describe, test, ...options }: SkippingTestFunctions & Pick<ConformanceOptions, 'filter' | 'cases'>,
): Promise<string | undefined> {
  const name = `chromium/${backend}`;
  const reason = await absenceInChromium(program, backend);
  // The runner does not show the names of suites that are skipped.
  if (reason !== undefined) console.warn(`${name} is not tested: ${reason}`);
  describeReport((chosen) => conformanceInChromium(program, backend, { ...chosen, allowSoftware: true }), {
    ...options,
    name: reason === undefined ? name : `${name} cannot run here: ${reason}`,
    describe: reason === undefined ? describe : describe.skip,
    test,
  });
  return reason;
}
