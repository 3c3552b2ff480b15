/**
 * The library as ONNX Runtime sees it: three custom operators of the domain `meanflow`: `Product` (product-op.c), `Sum`
 * (sum-op.c), and `Fused` with any inputs and outputs and the attribute `body` (see body.h). `RegisterCustomOps` is what the
 * runtime calls after it has loaded the library.
 */
#include <stdio.h>
#include <stdlib.h>
#include "body.h"
#include "operator.h"
#include "processor.h"
#include "product.h"

typedef struct {
  Api api;
  Body *body;
} Kernel;

/** Rows are dealt out in pieces of about this many nanoseconds: waking a thread takes some thousands. */
static const double PIECE = 20000;
enum { MOST_PIECES = 64 };

static const Operation *operations = operations_base;

static void chooseOperations(void) {
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

static Status *createKernel(const CustomOp *op, Api api, const KernelInfo *info, void **out) {
  (void)op;
  size_t count = 0;
  /* Asked for without a place to write to, the runtime says how many there are. */
  Status *status = getAttributeInts(api, info, "body", NULL, &count);
  if (status && count == 0) return status;
  if (status) releaseStatus(api, status);
  int64_t *words = malloc((count + 1) * sizeof(int64_t));
  if ((status = getAttributeInts(api, info, "body", words, &count))) {
    free(words);
    return status;
  }
  const char *why = "";
  Body *body = decodeBody(words, count, &why);
  free(words);
  if (!body) return failed(api, "the body cannot be read", why);
  Kernel *kernel = malloc(sizeof(Kernel));
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
} Call;

static void runPiece(void *data, size_t index) {
  const Call *call = data;
  const int64_t from = (int64_t)index * call->piece, end = from + call->piece;
  runBody(call->body, call->inputs, call->outputs, from, end < call->body->rows ? end : call->body->rows, operations);
}

static int64_t atLeast(int64_t least, int64_t value) { return value < least ? least : value; }

static Status *compute(void *data, KernelContext *context) {
  const Kernel *kernel = data;
  const Body *body = kernel->body;
  Api api = kernel->api;
  Status *status;
  size_t inputs = 0, outputs = 0;
  if ((status = getInputCount(api, context, &inputs)) || (status = getOutputCount(api, context, &outputs))) return status;
  if (inputs != (size_t)body->inputs || outputs != (size_t)body->outputs)
    return failed(api, "the node does not fit its body", "number of inputs or outputs");
  Call call = {.body = body};
  for (size_t i = 0; i < inputs; i++) {
    const Value *value;
    if ((status = getInput(api, context, i, &value)) || (status = getTensorData(api, (Value *)value, (void **)&call.inputs[i])))
      return status;
  }
  for (size_t i = 0; i < outputs; i++) {
    const Operand *o = &body->output[i];
    Value *value;
    if ((status = getOutput(api, context, i, o->sizes, (size_t)o->rank, &value)) || (status = getTensorData(api, value, &call.outputs[i])))
      return status;
  }
  const int64_t chunks = (body->rows + body->chunk - 1) / body->chunk;
  int64_t pieces = (int64_t)((double)body->rows * body->cost / PIECE);
  pieces = pieces > MOST_PIECES ? MOST_PIECES : pieces > chunks ? chunks : atLeast(1, pieces);
  call.piece = (chunks + pieces - 1) / pieces * body->chunk;
  if (pieces == 1) {
    runPiece(&call, 0);
    return NULL;
  }
  return parallelFor(api, context, runPiece, (size_t)((body->rows + call.piece - 1) / call.piece), 0, &call);
}

static const char *getName(const CustomOp *op) { return (void)op, "Fused"; }
static int anyType(const CustomOp *op, size_t index) { return (void)op, (void)index, ANY_TYPE; }
static int variadic(const CustomOp *op, size_t index) { return (void)op, (void)index, VARIADIC; }
static int minArity(const CustomOp *op) { return (void)op, 1; }
static int mixed(const CustomOp *op) { return (void)op, 0; }

extern const CustomOp productOp, sumOp;

static const CustomOp fused = {
    .version = OPERATOR_VERSION,
    .get_name = getName,
    .get_provider = noProvider,
    .get_input_type = anyType,
    .get_input_count = oneOperand,
    .get_output_type = anyType,
    .get_output_count = oneOperand,
    .destroy = destroyKernel,
    .get_input_characteristic = variadic,
    .get_output_characteristic = variadic,
    .get_input_memory = defaultMemory,
    .get_input_min_arity = minArity,
    .get_input_homogeneity = mixed,
    .get_output_min_arity = minArity,
    .get_output_homogeneity = mixed,
    .create_kernel_v2 = createKernel,
    .compute_v2 = compute,
};

__attribute__((visibility("default"))) Status *RegisterCustomOps(SessionOptions *options, const ApiBase *base) {
  static CustomOpDomain *domain = NULL;
  Api api = base->get_api(ORT_VERSION);
  if (!api) {
    api = base->get_api(1);
    return failed(api, "ONNX Runtime is too old", base->get_version_string());
  }
  Status *status;
  if (!domain) {
    chooseOperations();
    chooseProduct();
    CustomOpDomain *made;
    if ((status = createCustomOpDomain(api, "meanflow", &made)) || (status = addToDomain(api, made, &fused)) ||
        (status = addToDomain(api, made, &productOp)) ||
        (status = addToDomain(api, made, &sumOp)))
      return status;
    domain = made;
  }
  return addDomain(api, options, domain);
}
