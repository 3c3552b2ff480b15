import { checkFields, type FieldKinds } from '../src/check-fields.js';

interface Definition {
  readonly name: string;
  readonly isFlat?: boolean;
  readonly columns?: readonly string[];
  readonly colours?: object;
  readonly settings?: unknown;
  create(): number;
}
const fields: FieldKinds<Definition> = {
  name: 'text',
  isFlat: 'flag?',
  columns: 'list?',
  colours: 'object?',
  settings: 'any?',
  create: 'function',
};
const good: Definition = { name: 'a', create: () => 1 };
const check = (changes: object): void => checkFields('The thing', { ...good, ...changes }, fields);

test.each([
  {},
  { isFlat: false, columns: [], colours: {}, settings: null },
  { isFlat: undefined, columns: undefined },
])('%j is right', (changes) => {
  expect(() => check(changes)).not.toThrow();
});

test.each([
  [{ name: '' }, 'The thing: name is text without control characters, got "".'],
  [{ name: 'a\u001b[31m' }, 'The thing: name is text without control characters, got "a\\x1b[31m".'],
  [{ isFlat: 'yes' }, 'The thing: isFlat is true or false, got "yes".'],
  [{ columns: {} }, 'The thing: columns is a list, got'],
  [{ colours: [] }, 'The thing: colours is an object, got'],
  [{ create: undefined }, 'The thing: create is a function, got undefined.'],
  [{ craete: good.create }, 'The thing has no option "craete"; it takes name,'],
  [{ craete: good.create }, 'Did you mean "create"?'],
])('%j is not', (changes, message) => {
  expect(() => check(changes)).toThrow(message);
});
