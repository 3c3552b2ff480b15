/** `@meanflow/conformance/testing`: what the tests of an adapter's own are made of, beside the kit. */
export { accuracyTests, executableTests, type AdapterTests } from './testing/adapter-tests.js';
export { scaleOperand, withAlteredGraphs, withAlteredInputs } from './testing/altered-backend.js';
export { bools, floats, ints, normal } from './testing/arrays.js';
export { check, expectClose, roundings, runGraph, type Accuracy } from './testing/reference.js';
export { dependentPairs, repeatedDraws } from './testing/independence.js';
