/**
 * The errors a user can meet. Every class says what was given, what was expected and, where there is one, what
 * to do; errors raised while tracing also carry the line of the user's program that asked for the op.
 *
 * Each class says its name itself: that of a class is a letter once a bundler has minified it. And each is known by that
 * name, so that `instanceof` holds for an error of another copy of this package too.
 */
import { printableMessage } from './printable.js';

const BRAND = Symbol.for('meanflow.error');

/** Base class: `catch (e) { if (e instanceof MeanflowError) … }` separates our diagnoses from bugs. */
export class MeanflowError extends Error {
  /** @param message may quote what came from outside: what a terminal would obey is escaped, what is endless is cut */
  constructor(message = '', options?: ErrorOptions) {
    super(printableMessage(message), options);
  }

  /** To be given by every class; one that gives none counts as the class above it. */
  override get name(): string {
    return 'MeanflowError';
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    const prototype = this.prototype as MeanflowError;
    if (!isBranded(value) || !Object.hasOwn(prototype, 'name')) return false;
    let at = Object.getPrototypeOf(value) as Error;
    while (BRAND in at) {
      if (Object.hasOwn(at, 'name') && at.name === prototype.name) return true;
      at = Object.getPrototypeOf(at) as Error;
    }
    return false;
  }
}

function isBranded(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** An op was given shapes that do not fit together. */
export class ShapeError extends MeanflowError {
  override get name(): string {
    return 'ShapeError';
  }
}

/** An op was given a dtype it does not take. */
export class DTypeError extends MeanflowError {
  override get name(): string {
    return 'DTypeError';
  }
}

/** An argument that is neither about shape nor dtype is out of range or malformed. */
export class ArgumentError extends MeanflowError {
  override get name(): string {
    return 'ArgumentError';
  }
}

/** Two trees that should have the same structure differ, or a leaf is not what a tree may hold. */
export class PytreeError extends MeanflowError {
  override get name(): string {
    return 'PytreeError';
  }
}

/** A tensor was used outside the function that it was traced in, or the traced function is not pure. */
export class TraceError extends MeanflowError {
  override get name(): string {
    return 'TraceError';
  }
}

/** An executable, device array or backend was used after `dispose()`, or after it was donated to a run. */
export class DisposedError extends MeanflowError {
  override get name(): string {
    return 'DisposedError';
  }
}

/** A call was made on something that another call was still changing. */
export class BusyError extends MeanflowError {
  override get name(): string {
    return 'BusyError';
  }
}

/** The backend or device that was asked for is not there; says what was found and what to install. */
export class BackendError extends MeanflowError {
  override get name(): string {
    return 'BackendError';
  }
}

/**
 * The device went away while it was used, with all that lay on it: arrays, and executables. Every later call of its backend
 * fails with this, too, but for `dispose()`.
 */
export class DeviceLostError extends BackendError {
  override get name(): string {
    return 'DeviceLostError';
  }

  /**
   * @param backend whose device it was, such as `tfjs:webgpu`
   * @param reason what is known of the cause
   */
  constructor(
    readonly backend: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `The device of ${backend} was lost (${reason}), and all that lay on it. Open the backend anew, and begin from what was ` +
        'saved; where it happens again, the driver may have been reset because a run took too long or memory ran out.',
      options,
    );
  }
}

/** A file, configuration or checkpoint is damaged or does not fit. */
export class DataError extends MeanflowError {
  override get name(): string {
    return 'DataError';
  }
}
