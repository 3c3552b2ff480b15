/** Every primitive's derivative, in one place. */
import type { PrimitiveName } from '../ops/attributes.js';
import { zero } from './combinators.js';
import { dotGeneralRule } from './contraction.js';
import { convRule } from './convolution.js';
import { elementwiseRules } from './elementwise.js';
import { movementRules } from './movement.js';
import type { OpRule, RuleTable } from './rule.js';

const rules: RuleTable = {
  constant: zero,
  iota: zero,
  ...elementwiseRules,
  ...movementRules,
  dotGeneral: dotGeneralRule,
  conv: convRule,
  stopGradient: zero,
  /** Linear in what it holds back. */
  optimizationBarrier: { jvp: ({ tangents: [dx] }) => dx },
};

/** The derivative of an op of which it is not known which it is: the caller says that operands and attributes are its own. */
export const ruleOf = (op: PrimitiveName) => rules[op] as OpRule<'any', unknown>;
