/**
 * The op FusedProduct of ONNX Runtime: a product that nobody reads but one fused call, and that call. Rows of the product go
 * through the body while they are in the cache, and are written nowhere. It is described as `Product` is, and by
 *   body      of the call, as of the op Fused
 *   operands  of each of the body's inputs, which of the node's it is: 0 and 1 are the factors, then what is added, where
 *             something is, then the others; -1 is the product itself
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "body.h"
#include "fused-op.h"
#include "product-op.h"
#include "workspace.h"

typedef struct {
  Product product;
  Body *body;
  int64_t operands[MAX_SLOTS];
  size_t inputs;
  /** Rows of the body that a row of the product is. */
  int64_t scale;
  /** Bytes of memory for the right factor, where it is packed in each run, and with what else a part of the work needs. */
  size_t factor, workspace;
} Kernel;

/** One run. */
typedef struct {
  const Kernel *kernel;
  const void *arrays[MAX_SLOTS];
  void *outputs[MAX_SLOTS];
  long tasks, share;
  /** Set by a part that got no memory. */
  atomic_bool isShort;
} Run;

typedef struct {
  Run *run;
  /** The row of the whole stack that the part begins with. */
  long first;
} Rows;

static void freeKernel(void *data) {
  Kernel *kernel = data;
  freeProduct(&kernel->product);
  freeBody(kernel->body);
  free(kernel);
}

static Status *create(const CustomOp *op, Api api, const KernelInfo *info, void **made) {
  (void)op;
  Kernel *kernel = calloc(1, sizeof *kernel);
  if (kernel == 0) return createStatus(api, ORT_FAIL, "meanflow:FusedProduct: out of memory.");
  Product *p = &kernel->product;
  Status *status = readProduct(api, info, 0, p);
  if (status == 0) status = readBody(api, info, &kernel->body);
  if (status == 0) {
    kernel->inputs = MAX_SLOTS;
    status = getAttributeInts(api, info, "operands", kernel->operands, &kernel->inputs);
  }
  if (status == 0) {
    const Body *body = kernel->body;
    kernel->scale = body->row > 0 ? p->columns / body->row : 0;
    if (kernel->inputs != (size_t)body->inputs || kernel->scale * body->row != p->columns || kernel->scale * p->rows * p->stack != body->rows)
      status = createStatus(api, ORT_INVALID_ARGUMENT, "meanflow:FusedProduct: the body does not go over the product's rows.");
  }
  if (status != 0) return freeKernel(kernel), status;
  kernel->factor = p->packed ? 0 : productSet.factorBytes(p->strides.terms, p->columns);
  kernel->workspace = kernel->factor + productSet.finishedWorkspace(p->columns);
  *made = kernel;
  return 0;
}

/** Puts finished rows through the body. */
static void finish(void *data, const float *block, long from, long count) {
  const Rows *rows = data;
  const Kernel *kernel = rows->run->kernel;
  const Body *body = kernel->body;
  const int64_t start = (rows->first + from) * kernel->scale;
  const void *inputs[MAX_SLOTS];
  for (size_t i = 0; i < kernel->inputs; i++) {
    const int64_t operand = kernel->operands[i];
    /* The body counts rows from the first of all: the block lies where that one would have its place before it. */
    inputs[i] = operand < 0 ? (const void *)((uintptr_t)block - (uintptr_t)(start * body->row) * sizeof(float)) : rows->run->arrays[operand];
  }
  if (!runBody(body, inputs, rows->run->outputs, start, start + count * kernel->scale, chosenOperations())) rows->run->isShort = true;
}

static void part(Run *run, long task, float *workspace) {
  const Product *p = &run->kernel->product;
  const Part part = partOf(p, task);
  if (part.count <= 0) return;
  const float *a = (const float *)run->arrays[0] + placeOf(p, &p->a, part.index);
  const float *b = (const float *)run->arrays[1] + placeOf(p, &p->b, part.index);
  const float *d = p->hasD ? (const float *)run->arrays[2] + placeOf(p, &p->d, part.index) : 0;
  Rows rows = {run, part.index * p->rows + part.from};
  float *const rest = workspace + run->kernel->factor / sizeof(float);
  if (p->packed == 0) productSet.packFactor(&p->strides, b, p->columns, workspace);
  productSet.multiplyPacked(&p->strides, a + part.from * p->strides.aRow, p->packed ? p->packed : workspace,
                            d ? d + part.from * p->strides.dRow : 0, 0, part.count, p->columns, rest, finish, &rows);
}

static void share(void *data, size_t index) {
  Run *run = data;
  const long from = (long)index * run->share, end = from + run->share < run->tasks ? from + run->share : run->tasks;
  int slot;
  float *const workspace = takeWorkspace(run->kernel->workspace, &slot);
  if (workspace == 0) run->isShort = true;
  else for (long task = from; task < end; task++) part(run, task, workspace);
  giveBack(slot, workspace);
}

static Status *compute(void *data, KernelContext *context) {
  const Kernel *kernel = data;
  const Product *p = &kernel->product;
  Api api = p->api;
  Status *status;
  size_t inputs = 0;
  Run run = {.kernel = kernel, .tasks = p->stack * p->parts};
  if ((status = getInputCount(api, context, &inputs)) != 0) return status;
  for (size_t i = 0; i < inputs; i++) {
    const Value *value;
    if ((status = getInput(api, context, i, &value)) != 0) return status;
    if ((status = getTensorData(api, (Value *)value, (void **)&run.arrays[i])) != 0) return status;
  }
  if ((status = bodyOutputs(api, context, kernel->body, run.outputs)) != 0) return status;
  const long calls = callsOf(p);
  run.share = (run.tasks + calls - 1) / calls;
  if (calls == 1) share(&run, 0);
  else if ((status = parallelFor(api, context, share, (size_t)((run.tasks + run.share - 1) / run.share), 0, &run)) != 0) return status;
  return run.isShort ? createStatus(api, ORT_FAIL, "meanflow:FusedProduct: out of memory.") : 0;
}

static const char *getName(const CustomOp *op) { return (void)op, "FusedProduct"; }

const CustomOp fusedProductOp = {
    .version = OPERATOR_VERSION,
    .get_name = getName,
    .get_provider = noProvider,
    .get_input_type = anyType,
    .get_input_count = oneOperand,
    .get_output_type = anyType,
    .get_output_count = oneOperand,
    .destroy = freeKernel,
    .get_input_characteristic = variadicOperand,
    .get_output_characteristic = variadicOperand,
    .get_input_memory = defaultMemory,
    .get_input_min_arity = leastArity,
    .get_input_homogeneity = mixedTypes,
    .get_output_min_arity = leastArity,
    .get_output_homogeneity = mixedTypes,
    .create_kernel_v2 = create,
    .compute_v2 = compute,
};
