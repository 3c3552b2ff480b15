/**
 * Reading a pickle without running it. The result is made of plain containers, of what the host makes of the globals that it
 * knows, and of objects that stand for everything else that the pickle would have called.
 */
import { DataError } from '@meanflow/core';
import { PickleMachine, type PickleHost } from './machine.js';
import { opcodes } from './opcodes.js';
import { PickleProblem } from './values.js';

const PROTO = 0x80;
const STOP = 0x2e;
const PROTOCOLS = [2, 3, 4, 5];

/** What a pickle holds, and where it ends in its bytes. */
export interface Unpickled {
  readonly value: unknown;
  readonly end: number;
}

/**
 * The pickle at the beginning of some bytes.
 *
 * @throws {PickleProblem} when it is damaged; a `PickleEnd` when it does not end in these bytes
 */
export function unpickleFirst(bytes: Uint8Array, host: PickleHost): Unpickled {
  return run(new PickleMachine(bytes, host));
}

/**
 * @param source what the bytes were read from, for messages
 * @throws {DataError} when the pickle is damaged
 */
export function unpickle(bytes: Uint8Array, host: PickleHost, source: string): unknown {
  const machine = new PickleMachine(bytes, host);
  try {
    return run(machine).value;
  } catch (error) {
    throw pickleError(error, source, machine.at);
  }
}

/** A problem as the error of the file that it was found in; anything else as it is. */
export function pickleError(error: unknown, source: string, at: number): unknown {
  if (!(error instanceof PickleProblem || error instanceof DataError)) return error;
  const problem = error.message.replace(/\.$/, '');
  return new DataError(`${source} is not a pickle that can be read: ${problem} (byte ${at}).`);
}

function run(machine: PickleMachine): Unpickled {
  if (machine.uint8() !== PROTO) throw new PickleProblem('it does not begin with a protocol number');
  const protocol = machine.uint8();
  if (!PROTOCOLS.includes(protocol)) throw new PickleProblem(`its protocol is ${protocol}, expected 2 to 5`);
  for (;;) {
    const code = machine.uint8();
    if (code === STOP) return { value: machine.pop(), end: machine.at };
    const operation = opcodes[code];
    if (operation === undefined)
      throw new PickleProblem(`it has the opcode 0x${code.toString(16)}, which is not read`);
    machine.step();
    operation(machine);
  }
}
