/** The op Fused of ONNX Runtime: any inputs and outputs, and the attribute `body` (see body.h). */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fused-op.h"
#include "processor.h"

typedef struct {
  Api api;
  Body *body;
} Kernel;

/** Rows are dealt out in pieces of about this many nanoseconds: waking a thread takes some thousands. */
static const double PIECE = 20000;
enum { MOST_PIECES = 64 };

static const Operation *operations = operations_base;

const Operation *chosenOperations(void) { return operations; }

void chooseOperations(void) {
#ifdef __x86_64__
  const enum InstructionSet set = instructionSet();
  if (set == AVX512) operations = operations_avx512;
  if (set == AVX2) operations = operations_avx2;
#endif
}

static Status *failed(Api api, const char *what, const char *why) {
  char message[256];
  snprintf(message, sizeof message, "meanflow:Fused: %s: %s.", what, why);
  return createStatus(api, ORT_INVALID_ARGUMENT, message);
}

Status *readBody(Api api, const KernelInfo *info, Body **body) {
  size_t count = 0;
  /* Asked for without a place to write to, the runtime says how many there are. */
  Status *status = getAttributeInts(api, info, "body", NULL, &count);
  if (status && count == 0) return status;
  if (status) releaseStatus(api, status);
  int64_t *words = malloc((count + 1) * sizeof(int64_t));
  if (!words) return failed(api, "the body cannot be read", "out of memory");
  if ((status = getAttributeInts(api, info, "body", words, &count))) {
    free(words);
    return status;
  }
  const char *why = "";
  *body = decodeBody(words, count, &why);
  free(words);
  return *body ? NULL : failed(api, "the body cannot be read", why);
}

static Status *createKernel(const CustomOp *op, Api api, const KernelInfo *info, void **out) {
  (void)op;
  Body *body;
  Status *status = readBody(api, info, &body);
  if (status) return status;
  Kernel *kernel = malloc(sizeof(Kernel));
  if (!kernel) return freeBody(body), failed(api, "no kernel could be made", "out of memory");
  *kernel = (Kernel){api, body};
  *out = kernel;
  return NULL;
}

static void destroyKernel(void *kernel) {
  freeBody(((Kernel *)kernel)->body);
  free(kernel);
}

typedef struct {
  const Body *body;
  const void *inputs[MAX_SLOTS];
  void *outputs[MAX_SLOTS];
  /** Rows of a piece: whole chunks. */
  int64_t piece;
  /** Set by a piece that got no memory. */
  atomic_bool isShort;
} Call;

static void runPiece(void *data, size_t index) {
  Call *call = data;
  const int64_t from = (int64_t)index * call->piece, end = from + call->piece;
  if (!runBody(call->body, call->inputs, call->outputs, from, end < call->body->rows ? end : call->body->rows, operations))
    call->isShort = true;
}

static int64_t atLeast(int64_t least, int64_t value) { return value < least ? least : value; }

Status *bodyOutputs(Api api, KernelContext *context, const Body *body, void **arrays) {
  size_t outputs = 0;
  Status *status = getOutputCount(api, context, &outputs);
  if (status) return status;
  if (outputs != (size_t)body->outputs) return failed(api, "the node does not fit its body", "number of outputs");
  for (size_t i = 0; i < outputs; i++) {
    const Operand *o = &body->output[i];
    Value *value;
    if ((status = getOutput(api, context, i, o->sizes, (size_t)o->rank, &value)) || (status = getTensorData(api, value, &arrays[i])))
      return status;
  }
  return NULL;
}

static Status *compute(void *data, KernelContext *context) {
  const Kernel *kernel = data;
  const Body *body = kernel->body;
  Api api = kernel->api;
  Status *status;
  size_t inputs = 0;
  if ((status = getInputCount(api, context, &inputs))) return status;
  if (inputs != (size_t)body->inputs) return failed(api, "the node does not fit its body", "number of inputs");
  Call call = {.body = body};
  for (size_t i = 0; i < inputs; i++) {
    const Value *value;
    if ((status = getInput(api, context, i, &value)) || (status = getTensorData(api, (Value *)value, (void **)&call.inputs[i])))
      return status;
  }
  if ((status = bodyOutputs(api, context, body, call.outputs))) return status;
  const int64_t chunks = (body->rows + body->chunk - 1) / body->chunk;
  int64_t pieces = (int64_t)((double)body->rows * body->cost / PIECE);
  pieces = pieces > MOST_PIECES ? MOST_PIECES : pieces > chunks ? chunks : atLeast(1, pieces);
  call.piece = (chunks + pieces - 1) / pieces * body->chunk;
  if (pieces == 1) runPiece(&call, 0);
  else if ((status = parallelFor(api, context, runPiece, (size_t)((body->rows + call.piece - 1) / call.piece), 0, &call))) return status;
  return call.isShort ? createStatus(api, ORT_FAIL, "meanflow:Fused: out of memory.") : NULL;
}

static const char *getName(const CustomOp *op) { return (void)op, "Fused"; }

const CustomOp fusedOp = {
    .version = OPERATOR_VERSION,
    .get_name = getName,
    .get_provider = noProvider,
    .get_input_type = anyType,
    .get_input_count = oneOperand,
    .get_output_type = anyType,
    .get_output_count = oneOperand,
    .destroy = destroyKernel,
    .get_input_characteristic = variadicOperand,
    .get_output_characteristic = variadicOperand,
    .get_input_memory = defaultMemory,
    .get_input_min_arity = leastArity,
    .get_input_homogeneity = mixedTypes,
    .get_output_min_arity = leastArity,
    .get_output_homogeneity = mixedTypes,
    .create_kernel_v2 = createKernel,
    .compute_v2 = compute,
};
