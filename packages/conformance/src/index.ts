/** `@meanflow/conformance`: the kit that proves a backend, on any platform. Its needs are core's alone. */
export type {
  Aspect,
  BehaviourCase,
  Case,
  Feature,
  Finding,
  GraphCase,
  GraphCheck,
  Unsupported,
} from './cases/case.js';
export { conformanceCases, type CaseOptions } from './cases/index.js';
export { DEFAULT_SEED, type ProgramOptions } from './cases/programs.js';
export type { DeviceMemory, MeasuringBackend } from './cases/memory.js';
export type { CountingExecutable, TransferCounters } from './cases/state.js';
export { roundoff, UNIT_ROUNDOFF, type Roundoff, type OpEvaluation } from './numerics/roundoff.js';
export { roundingBackend } from './numerics/rounding-backend.js';
export { expectations, type Expectation } from './numerics/tolerance.js';
export { compare, type Comparison } from './numerics/compare.js';
export { runCase, runConformance, type ConformanceOptions } from './run.js';
export { declarationsOf, type DeclaringBackend } from './unsupported.js';
export {
  conforms,
  summarise,
  unsupportedReasons,
  type Absence,
  type CaseResult,
  type OpSummary,
  type Report,
} from './report/report.js';
export {
  describeConformance,
  describeReport,
  type DescribeOptions,
  type DescribeReportOptions,
  type SuiteFunctions,
  type TestFunctions,
} from './describe.js';
export {
  remoteReport,
  serveConformance,
  type RemoteLine,
  type RemoteMessage,
  type RemoteOptions,
} from './remote.js';
export {
  formatCell,
  matrixRows,
  matrixText,
  type MatrixRow,
  type MatrixTextOptions,
} from './report/matrix.js';
export { matrixHtml } from './report/html.js';
export { reportsJson } from './report/json.js';
export {
  backendSource,
  conformanceCommand,
  type CommandOutcome,
  type ConformanceCommandOptions,
  type ReportSource,
} from './command.js';
