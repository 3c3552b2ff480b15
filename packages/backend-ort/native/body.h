/**
 * The body of a fused call, decoded. It has one iteration space, `rows` rows of `row` elements, walked in chunks of whole
 * rows that stay in the nearest cache. A value is one number (SINGLE), one of each row (ROW), or one of each element (FULL).
 *
 * Values live in slots, numbered in this order: inputs, outputs, singles (constants first), registers. An instruction
 * reads and writes slots; FULL and ROW registers hold one chunk, so they are written anew for every chunk.
 *
 * The encoding is a list of int64, in the order of the fields below, by `src/native/fused/encode.ts`:
 *   VERSION, rows, row, constants, singles, registers,
 *   inputs, then of each: dtype, kind, where its first element lies in the operand, rank, and of each axis of the iteration
 *     space (or of its rows) the size, and how far neighbours lie apart in the operand, 0 where it is repeated along the axis
 *   outputs, then of each: dtype, kind, rank, sizes
 *   the constants' 32 bits
 *   instructions, then of each: operation, kind, result, three operands (of those that it does not take, 0)
 */
#ifndef MEANFLOW_BODY_H
#define MEANFLOW_BODY_H

#include <stddef.h>
#include <stdint.h>
#include "operations.h"

enum { BODY_VERSION = 2, MAX_RANK = 8, MAX_SLOTS = 256, MAX_ROW = 1 << 16 };
#define MAX_SIZE (INT64_C(1) << 40)
enum Kind { SINGLE, ROW, FULL };
enum DType { FLOAT32 = 1, INT32 = 2, BOOL = 3 };

typedef struct {
  enum DType dtype;
  enum Kind kind;
  /** Elements lie one after the other in the order of the iteration space: nothing is repeated. */
  int dense;
  /** Where the first element lies. */
  int64_t offset;
  int rank;
  int64_t sizes[MAX_RANK];
  int64_t strides[MAX_RANK];
} Operand;

typedef struct {
  int operation;
  enum Kind kind;
  int result;
  int operands[3];
  int single;
} Instruction;

typedef struct {
  int64_t rows, row;
  int inputs, outputs, constants, singles, registers, instructions;
  /** How many of the instructions, which come first, are computed once and not for every chunk. */
  int once;
  Operand *input, *output;
  int32_t *constant;
  Instruction *instruction;
  /** Rows of a chunk, and floats of a register. */
  int64_t chunk, capacity;
  /** About how many nanoseconds a row takes on one thread. */
  double cost;
} Body;

/** @returns NULL when the list is not a body of this version, saying why; otherwise one to be given to `freeBody`. */
Body *decodeBody(const int64_t *words, size_t count, const char **why);
void freeBody(Body *);

/** Computes rows [from, to) of the outputs. An output may lie where an input lies that is not repeated. @returns 0 where there is no memory */
int runBody(const Body *, const void *const *inputs, void *const *outputs, int64_t from, int64_t to, const Operation *);

#endif
