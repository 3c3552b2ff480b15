/**
 * The machine that a pickle is a program of: a stack, marks in it, and a memo. It reads its operands with every length
 * checked against what is left, and counts what calls may copy, so that memory is bounded by the size of the pickle; it has
 * no recursion; and it calls nothing but what its host gives it for a global.
 */
import {
  contentOf,
  GlobalReference,
  isBuildable,
  type KnownGlobal,
  PassOver,
  PickleProblem,
  Tuple,
  UnknownObject,
} from './values.js';

/** What the world outside of the pickle is: which globals are known, and what a persistent id stands for. */
export interface PickleHost {
  /** Undefined for a global that is not known. */
  global(module: string, name: string): KnownGlobal | undefined;
  persistent(id: unknown): unknown;
}

/** A pickle that ends before it is complete: more bytes may follow where it was read from. */
export class PickleEnd extends PickleProblem {
  override get name(): string {
    return 'PickleEnd';
  }
}

/** Longer integers than any that a checkpoint holds. */
const LONGEST_INTEGER = 64;
/** Items, characters and bytes that calls may be given: so many for each byte of the pickle, and some in any case. */
const GIVEN_PER_BYTE = 4;
const GIVEN_ANYWAY = 1 << 20;
/** Several times what the largest optimizer states need. A byte can ask for a container, which takes two hundred. */
const MOST_CONTAINERS = 1 << 20;
const MOST_REMEMBERED = 1 << 21;
const MOST_OPERATIONS = 1 << 23;

export class PickleMachine {
  private position = 0;
  private readonly view: DataView;
  private readonly text = new TextDecoder('utf-8', { fatal: true });
  private stack: unknown[] = [];
  private readonly marks: unknown[][] = [];
  private readonly memo = new Map<number, unknown>();
  private given = 0;
  private containers = 0;
  private operations = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly host: PickleHost,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get at(): number {
    return this.position;
  }

  // Operands

  take(length: number): Uint8Array {
    this.checkLeft(length);
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  /** That so many bytes follow. */
  checkLeft(length: number): void {
    const left = this.bytes.length - this.position;
    if (!(length >= 0 && length <= left)) {
      const problem = `${length} bytes are asked for where ${left} are left`;
      throw length >= 0 ? new PickleEnd(problem) : new PickleProblem(problem);
    }
  }

  uint8(): number {
    return this.take(1)[0]!;
  }

  uint16(): number {
    this.take(2);
    return this.view.getUint16(this.position - 2, true);
  }

  int32(): number {
    this.take(4);
    return this.view.getInt32(this.position - 4, true);
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  uint64(): number {
    this.take(8);
    return Number(this.view.getBigUint64(this.position - 8, true));
  }

  float64(): number {
    this.take(8);
    return this.view.getFloat64(this.position - 8, false);
  }

  string(length: number): string {
    const bytes = this.take(length);
    try {
      return this.text.decode(bytes);
    } catch {
      throw new PickleProblem('a text is not UTF-8');
    }
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw new PickleEnd('a line has no end');
    const text = this.string(end - this.position);
    this.position = end + 1;
    return text;
  }

  /** Two's complement, little-endian. A number where it is one exactly. */
  integer(length: number): number | bigint {
    if (length > LONGEST_INTEGER) throw new PickleProblem(`an integer has ${length} bytes`);
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    const signed = BigInt.asIntN(8 * length, value);
    return BigInt(Number(signed)) === signed && Number.isSafeInteger(Number(signed))
      ? Number(signed)
      : signed;
  }

  // The stack

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) throw new PickleProblem('its stack is empty');
    return this.stack.pop();
  }

  top(): unknown {
    if (this.stack.length === 0) throw new PickleProblem('its stack is empty');
    return this.stack[this.stack.length - 1];
  }

  mark(): void {
    if (this.marks.length >= MOST_CONTAINERS)
      throw new PickleProblem(`it has more than ${MOST_CONTAINERS} marks`);
    this.marks.push(this.stack);
    this.stack = [];
  }

  /** What was pushed since the last mark, which goes. */
  sinceMark(): unknown[] {
    const outer = this.marks.pop();
    if (outer === undefined) throw new PickleProblem('a mark is missing');
    const values = this.stack;
    this.stack = outer;
    return values;
  }

  /** POP takes a mark where one is on top. */
  popOrMark(): void {
    if (this.stack.length > 0) this.stack.pop();
    else this.sinceMark();
  }

  remember(index: number): void {
    if (this.memo.size >= MOST_REMEMBERED)
      throw new PickleProblem(`its memo has more than ${MOST_REMEMBERED} entries`);
    this.memo.set(index, this.top());
  }

  memoize(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw new PickleProblem(`there is no entry ${index} in its memo`);
    this.push(this.memo.get(index));
  }

  // Containers

  /** A new container or object on the stack. */
  make(container: object): void {
    if (++this.containers > MOST_CONTAINERS)
      throw new PickleProblem(`it makes more than ${MOST_CONTAINERS} containers`);
    this.push(container);
  }

  /** An operation is about to be made. */
  step(): void {
    if (++this.operations > MOST_OPERATIONS)
      throw new PickleProblem(`it has more than ${MOST_OPERATIONS} operations`);
  }

  tuple(size: number): void {
    const items = Array.from({ length: size }, () => this.pop()).reverse();
    this.make(new Tuple(items));
  }

  append(values: readonly unknown[]): void {
    const list = this.top();
    if (list instanceof UnknownObject) {
      for (const value of values) list.items.push([list.items.length, value]);
      return;
    }
    if (!Array.isArray(list)) throw new PickleProblem('something is appended to what is no list');
    for (const value of values) list.push(value);
  }

  setItems(values: readonly unknown[]): void {
    const map = this.top();
    const isUnknown = map instanceof UnknownObject;
    if (!(map instanceof Map || isUnknown) || values.length % 2 !== 0) {
      throw new PickleProblem('items are set in what is no dictionary');
    }
    for (let i = 0; i < values.length; i += 2) {
      if (isUnknown) map.items.push([values[i], values[i + 1]]);
      else map.set(values[i], values[i + 1]);
    }
  }

  addItems(values: readonly unknown[]): void {
    const set = this.top();
    if (set instanceof UnknownObject) return this.append(values);
    if (!(set instanceof Set)) throw new PickleProblem('items are added to what is no set');
    for (const value of values) set.add(value);
  }

  // Globals

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw new PickleProblem('the name of a global is no text');
    this.push(new GlobalReference(`${module}.${name}`, this.host.global(module, name)));
  }

  /**
   * REDUCE, NEWOBJ, OBJ and INST: what a known global makes of its arguments. What any other would make is passed over.
   *
   * @param named arguments by name, of NEWOBJ_EX
   */
  call(callee: unknown, args: unknown, named?: unknown): void {
    if (callee instanceof UnknownObject) return this.make(new UnknownObject(callee.name, args));
    if (!(callee instanceof GlobalReference)) {
      throw new PickleProblem('it calls something that is no global; nothing of it was run');
    }
    const { name, known } = callee;
    const hasNamed = named !== undefined && !(named instanceof Map && named.size === 0);
    if (known?.call === undefined || hasNamed || args instanceof UnknownObject) {
      const object = new UnknownObject(name, args);
      if (hasNamed) object.build(named);
      return this.make(object);
    }
    if (!(args instanceof Tuple)) throw new PickleProblem(`the arguments of ${name} are no tuple`);
    this.count(args);
    const made = passedOver(name, () => known.call!(args.items));
    if (typeof made === 'object' && made !== null) this.make(made);
    else this.push(made);
  }

  build(): void {
    const state = this.pop();
    const object = this.top();
    if (object instanceof UnknownObject) object.build(state);
    else if (isBuildable(object)) {
      this.count(state);
      object.build(state);
    }
    // The attributes of a container or a tensor, such as the version numbers in a state dict of PyTorch, mean nothing here.
    else if (typeof object !== 'object' || object === null || object instanceof GlobalReference)
      throw new PickleProblem('it sets the state of something that has none');
  }

  /** What is given may be copied, and a few bytes give the same large thing again and again. */
  private count(given: unknown): void {
    this.given += contentOf(given);
    if (this.given > GIVEN_ANYWAY + GIVEN_PER_BYTE * this.bytes.length) {
      throw new PickleProblem('it makes far more than it holds');
    }
  }

  persistent(): void {
    const id = this.pop();
    this.push(passedOver('something beside the pickle', () => this.host.persistent(id)));
  }
}

/** What is made, or an object without parts that says what would have been. */
function passedOver(name: string, make: () => unknown): unknown {
  try {
    return make();
  } catch (error) {
    if (error instanceof PassOver) return new UnknownObject(error.message || name);
    throw error;
  }
}
