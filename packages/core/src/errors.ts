/**
 * The errors a user can meet. Every class says what was given, what was expected and, where there is one, what
 * to do; errors raised while tracing also carry the line of the user's program that asked for the op.
 */
import { printableMessage } from './printable.js';

/** Base class: `catch (e) { if (e instanceof MeanflowError) … }` separates our diagnoses from bugs. */
export class MeanflowError extends Error {
  /** @param message may quote what came from outside: what a terminal would obey is escaped, what is endless is cut */
  constructor(message = '', options?: ErrorOptions) {
    super(printableMessage(message), options);
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** An op was given shapes that do not fit together. */
export class ShapeError extends MeanflowError {}

/** An op was given a dtype it does not take. */
export class DTypeError extends MeanflowError {}

/** An argument that is neither about shape nor dtype is out of range or malformed. */
export class ArgumentError extends MeanflowError {}

/** Two trees that should have the same structure differ, or a leaf is not what a tree may hold. */
export class PytreeError extends MeanflowError {}

/** A tensor was used outside the function that it was traced in, or the traced function is not pure. */
export class TraceError extends MeanflowError {}

/** An executable, device array or backend was used after `dispose()`, or after it was donated to a run. */
export class DisposedError extends MeanflowError {}

/** The backend or device that was asked for is not there; says what was found and what to install. */
export class BackendError extends MeanflowError {}

/** A file, configuration or checkpoint is damaged or does not fit. */
export class DataError extends MeanflowError {}
