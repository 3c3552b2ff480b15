/** Conditions as they are declared and as they are given: what would be learnt or sampled from without a word is refused. */
import {
  ArgumentError,
  DTypeError,
  hostArray,
  ShapeError,
  type ConditionArrays,
  type ConditionSpecs,
} from '../src/index.js';
import { checkConditions, checkConditionSpecs } from '../src/validation-door.js'; // prettier-ignore

const specs: ConditionSpecs = {
  given: { kind: 'vector', shape: [2] },
  known: { kind: 'image', shape: [2, 1, 1], optional: true },
};
const given = hostArray([[1, 2], [3, 4]]); // prettier-ignore
const known = hostArray([[[[1]], [[0]]], [[[0]], [[1]]]]); // prettier-ignore
const check = (arrays: object) => () => checkConditions('sample', arrays as ConditionArrays, specs, 2);

test('what fits is taken', () => {
  check({ conditions: { given } })();
  check({ conditions: { given, known } })();
  check({ conditions: { given, known }, present: { known: hostArray([0, 1]) } })();
  checkConditions('sample', {}, undefined, 2);
});

test.each<[string, object, new (m?: string) => Error, string]>([
  ['missing', { conditions: { known } }, ArgumentError, 'sample: the condition "given" is missing, and the network was not made to do without: give float32[2, 2]'],
  ['of an unknown name', { conditions: { given, know: known } }, ArgumentError, 'the network has no condition "know"; it takes given, known. Did you mean "known"?'],
  ['of an inherited name', { conditions: { given, toString: known } }, ArgumentError, 'no condition "toString"'],
  ['for one row too few', { conditions: { given: given.rows(0, 1) } }, ShapeError, 'sample: conditions.given must be [2, 2], the rows first, got [1, 2].'],
  ['of another shape', { conditions: { given, known: given } }, ShapeError, 'conditions.known must be [2, 2, 1, 1]'],
  ['of int32', { conditions: { given: given.to('int32') } }, DTypeError, 'conditions.given is a HostArray float32[2, 2], got a HostArray int32[2, 2].'],
  ['no array', { conditions: { given: [1] } }, DTypeError, 'got an array'],
  ['not finite', { conditions: { given: hostArray([[1, 2], [3, NaN]]) } }, ArgumentError, 'conditions.given has NaN in row 1, expected finite numbers.'],
  ['present without being given', { conditions: { given }, present: { known: hostArray([1, 1]) } }, ArgumentError, 'present.known says which rows have "known"'],
  ['present although not optional', { conditions: { given }, present: { given: hostArray([1, 1]) } }, ArgumentError, 'every row has the condition "given"'],
  ['present by half', { conditions: { given, known }, present: { known: hostArray([1, 0.5]) } }, ArgumentError, 'present.known is 0 or 1, got 0.5 in row 1.'],
  ['present for other rows', { conditions: { given, known }, present: { known: hostArray([1]) } }, ShapeError, 'present.known must be [2]'],
])('refuses one that is %s', (_, arrays, type, message) => {
  expect(check(arrays)).toThrow(type);
  expect(check(arrays)).toThrow(message);
}); // prettier-ignore

test('a network without conditions takes none', () => {
  expect(() => checkConditions('sample', { conditions: { given } }, undefined, 2)).toThrow(
    'sample: the network takes no conditions, got "given".',
  );
});

test.each<[string, object, string]>([
  ['a name that another input has', { label: { kind: 'vector', shape: [1] } }, 'mlp: conditions: "label" cannot name a condition'],
  ['a name with a slash', { 'a/b': { kind: 'vector', shape: [1] } }, '"a/b" cannot name a condition'],
  ['a kind that is none', { given: { kind: 'vektor', shape: [1] } }, 'Did you mean "vector"?'],
  ['a rank of another kind', { given: { kind: 'vector', shape: [1, 2] } }, 'the shape of one row of a vector is 1 whole number from 1, got [1,2].'],
  ['a side of 0', { given: { kind: 'mask', shape: [0] } }, 'a mask is some whole numbers from 1, got [0].'],
  ['no shape', { given: { kind: 'mask' } }, 'got undefined'],
  ['an option that is none', { given: { kind: 'mask', shape: [1], optional: 1 } }, 'optional is true or false, got 1.'],
])('declares no condition with %s', (_, declared, message) => {
  expect(() => checkConditionSpecs('mlp: conditions', declared as ConditionSpecs)).toThrow(message);
}); // prettier-ignore
