/** Decoding of bodies; see body.h. What comes in is checked here, so that nothing later can read or write outside. */
#include <stdlib.h>
#include "body.h"

/** Floats of a register: with a dozen registers in use they stay in 48 KiB. */
enum { CHUNK = 1024 };

typedef struct {
  const int64_t *words;
  size_t count, at;
  const char *why;
} Reader;

static int64_t next(Reader *r, int64_t low, int64_t high, const char *what) {
  const int64_t value = r->at < r->count ? r->words[r->at] : high + 1;
  r->at++;
  if (value >= low && value <= high) return value;
  if (!r->why) r->why = what;
  return low;
}

static const uint8_t arity[OPERATION_COUNT] = {
#define ARITY(name, operands) operands,
    OPERATIONS(ARITY)
#undef ARITY
};

static void readInput(Reader *r, Operand *o, const Body *body) {
  o->dtype = next(r, FLOAT32, BOOL, "dtype of an input");
  o->kind = next(r, SINGLE, FULL, "kind of an input");
  o->offset = next(r, 0, MAX_SIZE, "where an input begins");
  o->rank = (int)next(r, 0, MAX_RANK, "rank of an input");
  int64_t size = 1;
  for (int axis = 0; axis < o->rank; axis++) {
    o->sizes[axis] = next(r, 1, MAX_SIZE, "size of an input");
    o->strides[axis] = next(r, 0, MAX_SIZE, "stride of an input");
  }
  o->dense = 1;
  for (int axis = o->rank - 1; axis >= 0; axis--) {
    if (o->sizes[axis] != 1 && o->strides[axis] != size) o->dense = 0;
    size *= o->sizes[axis];
  }
  const int64_t elements = o->kind == FULL ? body->rows * body->row : body->rows;
  if (o->kind != SINGLE && size != elements && !r->why) r->why = "sizes of an input";
}

static void readInstruction(Reader *r, Instruction *in, const Body *body, uint8_t *kinds, uint8_t *written) {
  const int slots = body->inputs + body->outputs + body->singles + body->registers;
  in->operation = (int)next(r, 0, OPERATION_COUNT - 1, "operation");
  in->kind = next(r, SINGLE, FULL, "kind of a result");
  in->result = (int)next(r, body->inputs, slots - 1, "slot of a result");
  in->single = 0;
  const int reduces = in->operation >= OP_rowSum && in->operation <= OP_rowMaxInt;
  for (int i = 0; i < 3; i++) {
    in->operands[i] = (int)next(r, 0, slots - 1, "slot of an operand");
    if (i >= arity[in->operation] || r->why) continue;
    const int slot = in->operands[i], kind = kinds[slot];
    if (!written[slot]) r->why = "an operand that is not computed before it is read";
    if (in->kind != SINGLE && kind == SINGLE) in->single |= 1 << i;
    const int expected = reduces ? FULL : in->operation == OP_expand ? ROW : in->kind;
    if (kind != expected && !(kind == SINGLE && !reduces && in->operation != OP_expand)) r->why = "kind of an operand";
  }
  if (r->why) return;
  const int all = (1 << arity[in->operation]) - 1;
  if (in->single == all && in->operation != OP_copy) r->why = "an instruction of single numbers that is done for each chunk";
  if (reduces && in->kind != ROW) r->why = "kind of a reduction";
  if (in->operation == OP_expand && in->kind != FULL) r->why = "kind of a spread value";
  const int firstSingle = body->inputs + body->outputs;
  const int isOutput = in->result < firstSingle, isSingle = !isOutput && in->result < firstSingle + body->singles;
  if (isOutput ? in->kind != body->output[in->result - body->inputs].kind : isSingle != (in->kind == SINGLE))
    r->why = "kind of a result";
  kinds[in->result] = (uint8_t)in->kind;
  written[in->result] = 1;
}

static double costOf(const Body *body) {
  double cost = 0;
  for (int i = body->once; i < body->instructions; i++) {
    const Instruction *in = &body->instruction[i];
    const int isFunction = in->operation >= OP_exp && in->operation <= OP_erfc;
    const int isSlow = in->operation == OP_pow || in->operation == OP_divInt;
    cost += (in->kind == ROW && in->operation > OP_rowMaxInt ? 1 : (double)body->row) * (isSlow ? 15 : isFunction ? 0.6 : 0.06);
  }
  return cost + 0.2 * (double)body->row * (body->inputs + body->outputs) * 0.5;
}

Body *decodeBody(const int64_t *words, size_t count, const char **why) {
  Reader r = {words, count, 0, NULL};
  Body *body = calloc(1, sizeof(Body));
  uint8_t kinds[MAX_SLOTS] = {0}, written[MAX_SLOTS] = {0};
  next(&r, BODY_VERSION, BODY_VERSION, "version: the library and the encoder are of different releases");
  body->rows = next(&r, 1, MAX_SIZE, "rows");
  body->row = next(&r, 1, MAX_ROW, "elements of a row");
  body->constants = (int)next(&r, 0, MAX_SLOTS, "constants");
  body->singles = (int)next(&r, body->constants, MAX_SLOTS, "singles");
  body->registers = (int)next(&r, 0, MAX_SLOTS, "registers");
  body->inputs = (int)next(&r, 0, MAX_SLOTS, "inputs");
  body->input = calloc((size_t)body->inputs + 1, sizeof(Operand));
  for (int i = 0; i < body->inputs && !r.why; i++) readInput(&r, &body->input[i], body);
  body->outputs = (int)next(&r, 1, MAX_SLOTS, "outputs");
  body->output = calloc((size_t)body->outputs + 1, sizeof(Operand));
  for (int i = 0; i < body->outputs && !r.why; i++) {
    Operand *o = &body->output[i];
    o->dtype = next(&r, FLOAT32, BOOL, "dtype of an output");
    o->kind = next(&r, ROW, FULL, "kind of an output");
    o->rank = (int)next(&r, 0, MAX_RANK, "rank of an output");
    int64_t size = 1;
    for (int axis = 0; axis < o->rank; axis++) size *= o->sizes[axis] = next(&r, 1, MAX_SIZE, "size of an output");
    if (size != (o->kind == FULL ? body->rows * body->row : body->rows) && !r.why) r.why = "sizes of an output";
  }
  if (body->inputs + body->outputs + body->singles + body->registers > MAX_SLOTS && !r.why) r.why = "number of slots";
  body->constant = calloc((size_t)body->constants + 1, sizeof(int32_t));
  for (int i = 0; i < body->constants && !r.why; i++) body->constant[i] = (int32_t)next(&r, INT32_MIN, INT32_MAX, "constant");
  body->instructions = (int)next(&r, 0, 4096, "instructions");
  body->instruction = calloc((size_t)body->instructions + 1, sizeof(Instruction));
  for (int i = 0; i < body->inputs && !r.why; i++) kinds[i] = (uint8_t)body->input[i].kind, written[i] = 1;
  for (int i = 0; i < body->constants && !r.why; i++) written[body->inputs + body->outputs + i] = 1;
  for (int i = 0; i < body->instructions && !r.why; i++) {
    readInstruction(&r, &body->instruction[i], body, kinds, written);
    if (body->instruction[i].kind != SINGLE) continue;
    if (body->once++ != i && !r.why) r.why = "a single number that is computed after values of chunks";
  }
  for (int i = 0; i < body->outputs && !r.why; i++) if (!written[body->inputs + i]) r.why = "an output that is not computed";
  if (!r.why && r.at != count) r.why = "length";
  if (r.why) {
    *why = r.why;
    freeBody(body);
    return NULL;
  }
  body->chunk = body->row >= CHUNK ? 1 : CHUNK / body->row;
  body->capacity = (body->chunk * body->row + 15) / 16 * 16;
  body->cost = costOf(body);
  return body;
}

void freeBody(Body *body) {
  if (!body) return;
  free(body->input);
  free(body->output);
  free(body->constant);
  free(body->instruction);
  free(body);
}
