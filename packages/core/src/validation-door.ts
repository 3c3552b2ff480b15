/**
 * `@meanflow/core/validation`: for who takes values from outside (options, files, configurations, arrays, plug-ins' entries) and
 * says what is wrong with them: what was given, in words and safe to print; where it stood; what was expected, and which name
 * was meant. The errors themselves come from `@meanflow/core`, where who catches them finds them.
 */
export { checkChoice, checkOptions, type OptionNames } from './check-options.js';
export { checkFields, type FieldKind, type FieldKinds } from './check-fields.js';
export { checkConditions, checkConditionSpecs } from './conditions.js';
export { describeValue, typedArrayName } from './describe-value.js';
export { toHostArray } from './host-array.js';
export { leading, pick } from './known.js';
export { checkLabels } from './labels.js';
export { didYouMean } from './nearest-name.js';
export { ownValue } from './own-value.js';
export { printable, printableJson, quoted } from './printable.js';
export { assertSamePaths } from './pytree.js';
export { Registry, type RegistryOptions, type Named } from './registry.js';
export { checkRows } from './rows.js';
export { formatShape, formatType } from './types.js';
export {
  fieldPath,
  problemAt,
  validate,
  type FieldPath,
  type Schema,
  type SchemaIssue,
  type ValueSource,
  type FoundIssue,
} from './validate.js';
