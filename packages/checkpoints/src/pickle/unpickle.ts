/**
 * Reading a pickle without running it. The result is made of plain containers and of what the host makes of the globals
 * that it knows; any other global, and any call of something else, ends it with an error that names it.
 */
import { DataError } from '@meanflow/core';
import { PickleMachine, type PickleHost } from './machine.js';
import { opcodes } from './opcodes.js';
import { PickleProblem } from './values.js';

const PROTO = 0x80;
const STOP = 0x2e;
const PROTOCOLS = [2, 3, 4, 5];

/**
 * @param source what the bytes were read from, for messages
 * @throws {DataError} when the pickle is damaged, or asks for anything but what the host knows
 */
export function unpickle(bytes: Uint8Array, host: PickleHost, source: string): unknown {
  const machine = new PickleMachine(bytes, host);
  try {
    if (machine.uint8() !== PROTO) throw new PickleProblem('it does not begin with a protocol number');
    const protocol = machine.uint8();
    if (!PROTOCOLS.includes(protocol))
      throw new PickleProblem(`its protocol is ${protocol}, expected 2 to 5`);
    for (;;) {
      const code = machine.uint8();
      if (code === STOP) return machine.pop();
      const run = opcodes[code];
      if (run === undefined)
        throw new PickleProblem(`it has the opcode 0x${code.toString(16)}, which is not read`);
      run(machine);
    }
  } catch (error) {
    if (!(error instanceof PickleProblem || error instanceof DataError)) throw error;
    const problem = error.message.replace(/\.$/, '');
    throw new DataError(`${source} is not a pickle that can be read: ${problem} (byte ${machine.at}).`);
  }
}
