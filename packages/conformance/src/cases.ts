/**
 * `@meanflow/conformance/cases`: what cases of one's own are made of. They are given to the kit as `cases`: of an op's graph by
 * `valueCase`, of what a backend does by `behaviour`, of a procedure of many steps by `driftOracle`.
 */
export {
  behaviour,
  disposeAll,
  expect,
  expectRejection,
  expectValues,
  holdsMoreThanFloat32,
  runAndRead,
  Violation,
  withExecutable,
} from './cases/behaviour.js';
export { valueCase, type GraphCaseOptions, type TensorFunction } from './cases/build.js';
export { compareOutcome, driftOracle, observeDrift, type Procedure } from './cases/drift.js';
export type { NamedArrays } from './numerics/tolerance.js';
