/** `@meanflow/parity`: cases of the conformance kit that need networks, objectives, samplers and training. `@meanflow/parity/node` compares with published tensors. */
export { modelCases } from './cases/index.js';
