/**
 * The opcodes of pickles from protocol 2 to 5 (Python's `pickletools` lists them), each with what it does to the
 * machine. Those that are not here are refused by number: the texts of protocols 0 and 1, extension registries,
 * out-of-band buffers.
 */
import type { PickleMachine } from './machine.js';
import { Tuple } from './values.js';

type Run = (machine: PickleMachine) => void;

/** Characters that are made at once: a call takes so many arguments. */
const SPAN = 1 << 12;

const latin1 = (bytes: Uint8Array): string => {
  const spans: string[] = [];
  for (let at = 0; at < bytes.length; at += SPAN)
    spans.push(String.fromCharCode(...bytes.subarray(at, at + SPAN)));
  return spans.join('');
};

/** By code: what it does. `PROTO` and `STOP` are seen to where they are read. */
export const opcodes: Readonly<Record<number, Run>> = {
  // Constants
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x4b: (m) => m.push(m.uint8()), // BININT1
  0x4d: (m) => m.push(m.uint16()), // BININT2
  0x4a: (m) => m.push(m.int32()), // BININT
  0x8a: (m) => m.push(m.integer(m.uint8())), // LONG1
  0x8b: (m) => m.push(m.integer(m.int32())), // LONG4
  0x47: (m) => m.push(m.float64()), // BINFLOAT
  0x58: (m) => m.push(m.string(m.uint32())), // BINUNICODE
  0x8c: (m) => m.push(m.string(m.uint8())), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.string(m.uint64())), // BINUNICODE8
  0x43: (m) => m.push(m.take(m.uint8()).slice()), // SHORT_BINBYTES
  0x42: (m) => m.push(m.take(m.uint32()).slice()), // BINBYTES
  0x8e: (m) => m.push(m.take(m.uint64()).slice()), // BINBYTES8
  0x96: (m) => m.push(m.take(m.uint64()).slice()), // BYTEARRAY8
  0x55: (m) => m.push(latin1(m.take(m.uint8()))), // SHORT_BINSTRING, a text of Python 2
  0x54: (m) => m.push(latin1(m.take(m.int32()))), // BINSTRING

  // Containers
  0x29: (m) => m.make(new Tuple([])), // EMPTY_TUPLE
  0x85: (m) => m.tuple(1), // TUPLE1
  0x86: (m) => m.tuple(2), // TUPLE2
  0x87: (m) => m.tuple(3), // TUPLE3
  0x74: (m) => m.make(new Tuple(m.sinceMark())), // TUPLE
  0x5d: (m) => m.make([]), // EMPTY_LIST
  0x6c: (m) => m.make(m.sinceMark()), // LIST
  0x61: (m) => m.append([m.pop()]), // APPEND
  0x65: (m) => m.append(m.sinceMark()), // APPENDS
  0x7d: (m) => m.make(new Map()), // EMPTY_DICT
  // prettier-ignore
  0x64: (m) => { const values = m.sinceMark(); m.make(new Map()); m.setItems(values); }, // DICT
  // prettier-ignore
  0x73: (m) => { const value = m.pop(); m.setItems([m.pop(), value]); }, // SETITEM
  0x75: (m) => m.setItems(m.sinceMark()), // SETITEMS
  0x8f: (m) => m.make(new Set()), // EMPTY_SET
  0x90: (m) => m.addItems(m.sinceMark()), // ADDITEMS
  0x91: (m) => m.make(new Set(m.sinceMark())), // FROZENSET

  // Stack and memo
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => m.popOrMark(), // POP
  0x31: (m) => void m.sinceMark(), // POP_MARK
  0x32: (m) => m.push(m.top()), // DUP
  0x71: (m) => m.remember(m.uint8()), // BINPUT
  0x72: (m) => m.remember(m.uint32()), // LONG_BINPUT
  0x94: (m) => m.memoize(), // MEMOIZE
  0x68: (m) => m.recall(m.uint8()), // BINGET
  0x6a: (m) => m.recall(m.uint32()), // LONG_BINGET
  0x95: (m) => checkFrame(m), // FRAME

  // Globals and what is made of them
  0x63: (m) => m.global(m.line(), m.line()), // GLOBAL
  // prettier-ignore
  0x93: (m) => { const name = m.pop(); m.global(m.pop(), name); }, // STACK_GLOBAL
  // prettier-ignore
  0x52: (m) => { const args = m.pop(); m.call(m.pop(), args); }, // REDUCE
  // prettier-ignore
  0x81: (m) => { const args = m.pop(); m.call(m.pop(), args); }, // NEWOBJ
  0x92: (m) => newObjectWithNames(m), // NEWOBJ_EX
  // prettier-ignore
  0x6f: (m) => { const [callee, ...args] = m.sinceMark(); m.call(callee, new Tuple(args)); }, // OBJ
  // prettier-ignore
  0x69: (m) => { m.global(m.line(), m.line()); const callee = m.pop(); m.call(callee, new Tuple(m.sinceMark())); }, // INST
  0x62: (m) => m.build(), // BUILD
  0x51: (m) => m.persistent(), // BINPERSID
};

/** A frame only groups opcodes; what it says of its length has to be true. */
function checkFrame(machine: PickleMachine): void {
  const length = machine.uint64();
  machine.checkLeft(length);
}

function newObjectWithNames(machine: PickleMachine): void {
  const named = machine.pop();
  const args = machine.pop();
  machine.call(machine.pop(), args, named);
}
