/** What ONNX Runtime on the CPU does better than the conformance kit asks: roundings of functions, far from 0 as well. */
import { accuracyTests } from '@meanflow/conformance/testing';
import { backend } from './support.js';

accuracyTests({ test, backend });
