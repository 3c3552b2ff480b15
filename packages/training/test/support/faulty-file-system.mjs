/**
 * A file system that fails: what changes files through `node:fs/promises` is counted, and the n-th such call fails with an error of the
 * operating system, or every write takes only a part of what it is given. Import it before what is to fail.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const { promises } = fs;
let calls = 0;
let fault;

/** From now on: `{ code, at }` fails the call of that number, counted from 1; `{ short: true }` writes a third at a time. */
export function arm(next) {
  calls = 0;
  fault = next;
}

/** No more faults. @returns how many calls were counted */
export function disarm() {
  fault = undefined;
  return calls;
}

function counted(name, call) {
  return function (...args) {
    calls++;
    if (fault?.at === calls) {
      const error = new Error(`${fault.code}: injected into ${name}`);
      return Promise.reject(Object.assign(error, { code: fault.code, syscall: name }));
    }
    return call.apply(this, args);
  };
}

for (const name of ['rename', 'rm', 'mkdir', 'open']) promises[name] = counted(name, promises[name]);
syncBuiltinESMExports();

const file = await promises.open(join(tmpdir(), `meanflow-faults-${process.pid}`), 'w');
const prototype = Object.getPrototypeOf(file);
await file.close();
await promises.rm(join(tmpdir(), `meanflow-faults-${process.pid}`));
for (const name of ['sync', 'truncate']) prototype[name] = counted(name, prototype[name]);
const write = counted('write', prototype.write);
prototype.write = function (bytes, at, length, position) {
  const taken = fault?.short ? Math.ceil(length / 3) : length;
  return write.call(this, bytes, at, taken, position);
};
