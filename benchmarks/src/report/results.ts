/** What a run of the benchmarks found: what is written as JSON, and what reports are made of. */
import type { BrowserResult } from '../browser/run-browser.js';
import type { ScalingResult } from '../driver/run-scaling.js';
import type { CaseResult } from '../driver/run-case.js';

export interface Results {
  /** Such as 2026-12-01. */
  readonly date: string;
  /** Whether turns were too few and too short for figures that are to be shown. */
  readonly isQuick: boolean;
  readonly machine: {
    readonly processor: string;
    readonly threads: number;
    readonly memoryMb: number;
    readonly system: string;
    readonly versions: Readonly<Record<string, string>>;
  };
  readonly cases: readonly CaseResult[];
  /** In headless Chromium. */
  readonly browser: readonly BrowserResult[];
  readonly scaling?: ScalingResult | undefined;
}
