/** Running of bodies: chunks of whole rows, one tight loop for each instruction; see body.h. */
#include <stdlib.h>
#include <string.h>
#include "body.h"

/** Floats of scratch memory that fit on the stack. */
enum { ON_STACK = 48 * 1024 };

static int64_t elementsOf(const Body *body, enum Kind kind, int64_t rows) {
  return kind == FULL ? rows * body->row : rows;
}

/** Copies `count` elements, or one of them `count` times, as 32 bits each. */
static void take(int32_t *into, const void *array, int64_t at, int64_t count, int repeated, enum DType dtype) {
  if (dtype == BOOL) {
    const uint8_t *from = (const uint8_t *)array + at;
    for (int64_t i = 0; i < count; i++) into[i] = from[repeated ? 0 : i] != 0;
  } else {
    const int32_t *from = (const int32_t *)array + at;
    if (repeated) for (int64_t i = 0; i < count; i++) into[i] = *from;
    else memcpy(into, from, (size_t)count * 4);
  }
}

/** Writes a chunk of an output. */
static void put(const Operand *o, void *array, const int32_t *values, int64_t start, int64_t count) {
  if (o->dtype == BOOL) {
    uint8_t *into = (uint8_t *)array + start;
    for (int64_t i = 0; i < count; i++) into[i] = (uint8_t)values[i];
  } else {
    memcpy((char *)array + start * 4, values, (size_t)count * 4);
  }
}

/** Fills a register with elements [start, start + count) of an operand as it is broadcast to the iteration space. */
static void fill(int32_t *into, const Operand *o, const void *array, int64_t start, int64_t count) {
  int64_t place[MAX_RANK], offset = o->offset, rest = start;
  for (int axis = o->rank - 1; axis >= 0; axis--) {
    place[axis] = rest % o->sizes[axis];
    rest /= o->sizes[axis];
    offset += place[axis] * o->strides[axis];
  }
  const int last = o->rank - 1;
  while (count > 0) {
    const int64_t left = o->sizes[last] - place[last], run = left < count ? left : count;
    take(into, array, offset, run, o->strides[last] == 0, o->dtype);
    into += run;
    count -= run;
    if (run < left) break;
    offset -= place[last] * o->strides[last];
    place[last] = 0;
    for (int axis = last - 1; axis >= 0; axis--) {
      offset += o->strides[axis];
      if (++place[axis] < o->sizes[axis]) break;
      offset -= o->sizes[axis] * o->strides[axis];
      place[axis] = 0;
    }
  }
}

/** Where a chunk's elements of an input lie; `scratch` is used where they do not lie so in the input. */
static const void *locate(const Operand *o, const void *array, int64_t start, int64_t count, int32_t *scratch) {
  if (o->kind == SINGLE) {
    if (o->dtype != BOOL) return (const char *)array + o->offset * 4;
    *scratch = ((const uint8_t *)array)[o->offset] != 0;
    return scratch;
  }
  if (o->dense) {
    if (o->dtype != BOOL) return (const char *)array + (o->offset + start) * 4;
    take(scratch, array, o->offset + start, count, 0, BOOL);
    return scratch;
  }
  const int last = o->rank - 1;
  const int64_t place = start % o->sizes[last];
  if (o->dtype != BOOL && o->strides[last] == 1 && place + count <= o->sizes[last]) {
    int64_t offset = o->offset + place, rest = start / o->sizes[last];
    for (int axis = last - 1; axis >= 0; axis--) {
      offset += rest % o->sizes[axis] * o->strides[axis];
      rest /= o->sizes[axis];
    }
    return (const char *)array + offset * 4;
  }
  fill(scratch, o, array, start, count);
  return scratch;
}

static void execute(const Body *body, const Instruction *in, const void **slots, int64_t rows, const Operation *operations) {
  const int spreads = in->operation >= OP_rowSum && in->operation <= OP_rowMaxInt;
  const Work work = {
      {slots[in->operands[0]], slots[in->operands[1]], slots[in->operands[2]]},
      (void *)slots[in->result],
      in->kind == SINGLE ? 1 : spreads ? rows * body->row : elementsOf(body, in->kind, rows),
      body->row,
      in->single,
  };
  operations[in->operation](&work);
}

int runBody(const Body *body, const void *const *inputs, void *const *outputs, int64_t from, int64_t to, const Operation *operations) {
  const int firstOutput = body->inputs, firstSingle = firstOutput + body->outputs, firstRegister = firstSingle + body->singles;
  const void *slots[MAX_SLOTS];
  int32_t singles[MAX_SLOTS];
  /* Registers, and places for inputs and outputs that do not lie in memory as operations take them. An output that lies where an
     input does is written when the chunk is done: until then the input is read. */
  int needed = body->registers;
  uint8_t isStaged[MAX_SLOTS];
  for (int i = 0; i < body->inputs; i++) needed += !body->input[i].dense || body->input[i].dtype == BOOL;
  for (int i = 0; i < body->outputs; i++) {
    isStaged[i] = body->output[i].dtype == BOOL;
    for (int j = 0; j < body->inputs; j++) isStaged[i] |= inputs[j] == outputs[i];
    needed += isStaged[i];
  }
  const size_t floats = (size_t)needed * (size_t)body->capacity;
  _Alignas(64) int32_t stack[ON_STACK];
  int32_t *allocated = floats > ON_STACK ? aligned_alloc(64, (floats * 4 + 63) / 64 * 64) : NULL;
  if (floats > ON_STACK && !allocated) return 0;
  int32_t *scratch = allocated ? allocated : stack;
  int32_t *free_ = scratch;
  for (int i = 0; i < body->registers; i++, free_ += body->capacity) slots[firstRegister + i] = free_;
  int32_t *places = free_;

  memcpy(singles, body->constant, (size_t)body->constants * 4);
  for (int i = 0; i < body->singles; i++) slots[firstSingle + i] = &singles[i];

  for (int64_t row = from; row < to; row += body->chunk) {
    const int64_t rows = to - row < body->chunk ? to - row : body->chunk;
    int32_t *place = places;
    for (int i = 0; i < body->inputs; i++) {
      const Operand *o = &body->input[i];
      slots[i] = locate(o, inputs[i], elementsOf(body, o->kind, row), elementsOf(body, o->kind, rows), place);
      if (!o->dense || o->dtype == BOOL) place += body->capacity;
    }
    for (int i = 0; i < body->outputs; i++) {
      const Operand *o = &body->output[i];
      slots[firstOutput + i] = isStaged[i] ? (void *)place : (char *)outputs[i] + elementsOf(body, o->kind, row) * 4;
      if (isStaged[i]) place += body->capacity;
    }
    for (int i = row == from ? 0 : body->once; i < body->instructions; i++)
      execute(body, &body->instruction[i], slots, rows, operations);
    for (int i = 0; i < body->outputs; i++) {
      if (isStaged[i]) put(&body->output[i], outputs[i], slots[firstOutput + i], elementsOf(body, body->output[i].kind, row), elementsOf(body, body->output[i].kind, rows));
    }
  }
  free(allocated);
  return 1;
}
