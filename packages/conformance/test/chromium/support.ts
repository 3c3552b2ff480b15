/** What the tests share: the page, and a suite that is skipped where there is no Chromium. */
import { absenceInChromium, type PageProgram } from '../../src/chromium.js';

export const program: PageProgram = { entry: new URL('./page.ts', import.meta.url) };

const absence = await absenceInChromium(program, 'reference');

/** A suite in Chromium; skipped where there is none, with the reason in its name. */
export const describeChromium = (name: string, define: () => void): void =>
  absence === undefined ? describe(name, define) : describe.skip(`${name}: ${absence}`, define);
