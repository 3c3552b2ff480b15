/**
 * The op Product of ONNX Runtime: stacks of matrix products by strides, shared out over the threads of the session. What it
 * is given stands in lists of integers, of which FusedProduct has all but the last:
 *   sizes  [alpha as bits, threads to share the work, rows, columns, terms, …batch]
 *   a b c  [offset, from row to row, from column to column, …along the batch]
 *   d      the same, where there is a third operand
 *   shape  of what is written
 *
 * A right factor that is a constant of the session is packed once, when the session is made.
 */
#include "product-op.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "processor.h"
#include "workspace.h"

enum {
  MOST_AXES = 12,
  SIZES = 5,
  /** Below so many multiplications, waking another thread costs more than it does. */
  SERIAL = 1 << 16,
  /** Work is shared out in whole panels: so many rows or columns are some of each instruction set. */
  PANEL_ROWS = 8,
  PANEL_COLUMNS = 48,
};

typedef struct {
  Product product;
  int64_t shape[MOST_AXES];
  size_t rank;
} Kernel;

/** One run. */
typedef struct {
  const Product *product;
  const float *a, *b, *d;
  float *c;
  /** Parts of the work that one call takes. */
  long tasks, share;
  /** Set by a call that got no memory. */
  atomic_bool isShort;
} Run;

ProductSet productSet;

void chooseProduct(void) {
#define CHOOSE(set) \
  productSet = (ProductSet){product_##set, (size_t)productWorkspace_##set, factorBytes_##set, \
                            packFactor_##set, finishedWorkspace_##set, multiplyPacked_##set}
  CHOOSE(base);
#ifdef __x86_64__
  const enum InstructionSet set = instructionSet();
  if (set == AVX512) CHOOSE(avx512);
  if (set == AVX2) CHOOSE(avx2);
#endif
#undef CHOOSE
}

static long smaller(long a, long b) {
  return a < b ? a : b;
}

long placeOf(const Product *p, const Matrix *matrix, long index) {
  long place = matrix->offset;
  for (long axis = p->rank - 1; axis >= 0; axis--) {
    place += index % p->batch[axis] * matrix->batch[axis];
    index /= p->batch[axis];
  }
  return place;
}

Part partOf(const Product *p, long task) {
  const long whole = p->byColumns ? p->columns : p->rows, panel = p->byColumns ? PANEL_COLUMNS : PANEL_ROWS;
  const long size = ((whole + p->parts - 1) / p->parts + panel - 1) / panel * panel;
  const long from = task % p->parts * size;
  return (Part){.index = task / p->parts, .from = from, .count = smaller(size, whole - from)};
}

const float *packedFactor(const Product *p, long task) {
  return p->packed == 0 ? 0 : p->byColumns ? p->packed + task * p->packedPart : p->packed;
}

/** Packs a right factor that is the same in all runs; nothing where it is none, or of several products. @returns a status on error */
static Status *packConstant(const KernelInfo *info, Product *p) {
  int isConstant = 0;
  const Value *value;
  void *b;
  Status *status = getConstantInput(p->api, info, 1, &isConstant, &value);
  if (status != 0 || !isConstant || p->stack != 1) return status;
  if ((status = getTensorData(p->api, (Value *)value, &b)) != 0) return status;
  const long pieces = p->byColumns ? p->parts : 1, widest = p->byColumns ? partOf(p, 0).count : p->columns;
  p->packedPart = (long)((productSet.factorBytes(p->strides.terms, widest) + 63) / 64 * 64 / sizeof(float));
  const size_t bytes = (size_t)(pieces * p->packedPart) * sizeof(float);
  if (bytes == 0) return 0;
  if ((p->packed = aligned_alloc(64, bytes)) == 0) return createStatus(p->api, ORT_FAIL, "meanflow:Product: out of memory.");
  for (long piece = 0; piece < pieces; piece++) {
    const Part part = partOf(p, piece);
    const long count = p->byColumns ? part.count : p->columns, from = p->byColumns ? part.from : 0;
    if (count > 0) productSet.packFactor(&p->strides, (const float *)b + p->b.offset + from * p->strides.bColumn, count, p->packed + piece * p->packedPart);
  }
  return 0;
}

void freeProduct(Product *p) { free(p->packed); }

long callsOf(const Product *p) {
  const long tasks = p->stack * p->parts;
  return p->rows * p->columns * p->strides.terms * p->stack < SERIAL ? 1 : smaller(tasks, p->threads);
}

/** One part of one product of the stack. */
static void part(const Run *run, long task, float *workspace) {
  const Product *p = run->product;
  const Strides *g = &p->strides;
  const Part part = partOf(p, task);
  const long from = part.from;
  if (part.count <= 0) return;
  const float *a = run->a + placeOf(p, &p->a, part.index), *b = run->b + placeOf(p, &p->b, part.index);
  const float *d = run->d ? run->d + placeOf(p, &p->d, part.index) : 0;
  float *c = run->c + placeOf(p, &p->c, part.index);
  const float *const packed = packedFactor(p, task);
  if (packed && p->byColumns)
    productSet.multiplyPacked(g, a, packed, d ? d + from : 0, c + from * g->cColumn, p->rows, part.count, workspace, 0, 0);
  else if (packed)
    productSet.multiplyPacked(g, a + from * g->aRow, packed, d ? d + from * g->dRow : 0, c + from * g->cRow, part.count, p->columns, workspace, 0, 0);
  else if (p->byColumns)
    productSet.multiply(g, a, b + from * g->bColumn, d ? d + from : 0, c + from * g->cColumn, p->rows, part.count, workspace);
  else
    productSet.multiply(g, a + from * g->aRow, b, d ? d + from * g->dRow : 0, c + from * g->cRow, part.count, p->columns, workspace);
}

static void share(void *data, size_t index) {
  Run *run = data;
  const long from = (long)index * run->share;
  int slot;
  float *const workspace = takeWorkspace(productSet.workspace, &slot);
  if (workspace == 0) run->isShort = true;
  else for (long task = from; task < smaller(from + run->share, run->tasks); task++) part(run, task, workspace);
  giveBack(slot, workspace);
}

static int readInts(Api api, const KernelInfo *info, const char *name, int64_t *out, size_t most, size_t *count) {
  *count = most;
  Status *status = getAttributeInts(api, info, name, out, count);
  if (status != 0) releaseStatus(api, status);
  return status == 0;
}

static int readMatrix(Api api, const KernelInfo *info, const char *name, Matrix *matrix, size_t rank) {
  int64_t numbers[3 + MOST_BATCH];
  size_t count;
  if (!readInts(api, info, name, numbers, 3 + MOST_BATCH, &count) || count != 3 + rank) return 0;
  *matrix = (Matrix){.offset = numbers[0], .row = numbers[1], .column = numbers[2]};
  for (size_t i = 0; i < rank; i++) matrix->batch[i] = numbers[3 + i];
  return 1;
}

Status *readProduct(Api api, const KernelInfo *info, int alongColumns, Product *p) {
  int64_t sizes[SIZES + MOST_BATCH];
  size_t count;
  *p = (Product){.api = api, .stack = 1};
  if (!readInts(api, info, "sizes", sizes, SIZES + MOST_BATCH, &count) || count < SIZES)
    return createStatus(api, ORT_INVALID_ARGUMENT, "meanflow:Product: sizes are alpha, threads, rows, columns, terms and at most four more.");
  const size_t rank = count - SIZES;
  if (!readMatrix(api, info, "a", &p->a, rank) || !readMatrix(api, info, "b", &p->b, rank) || !readMatrix(api, info, "c", &p->c, rank))
    return createStatus(api, ORT_INVALID_ARGUMENT, "meanflow:Product: a, b and c are an offset and strides.");
  p->hasD = readMatrix(api, info, "d", &p->d, rank);
  p->rank = (long)rank;
  const int32_t bits = (int32_t)sizes[0];
  memcpy(&p->strides.alpha, &bits, sizeof bits);
  p->threads = sizes[1], p->rows = sizes[2], p->columns = sizes[3], p->strides.terms = sizes[4];
  for (size_t i = 0; i < rank; i++) p->stack *= p->batch[i] = sizes[SIZES + i];
  p->strides.aRow = p->a.row, p->strides.aTerm = p->a.column;
  p->strides.bTerm = p->b.row, p->strides.bColumn = p->b.column;
  p->strides.cRow = p->c.row, p->strides.cColumn = p->c.column;
  p->strides.dRow = p->d.row;
  p->byColumns = alongColumns && p->columns > p->rows;
  const long panels = p->byColumns ? (p->columns + PANEL_COLUMNS - 1) / PANEL_COLUMNS : (p->rows + PANEL_ROWS - 1) / PANEL_ROWS;
  p->parts = smaller(panels, (p->threads + p->stack - 1) / p->stack);
  if (p->parts < 1) p->parts = 1;
  return packConstant(info, p);
}

static Status *create(const CustomOp *op, Api api, const KernelInfo *info, void **made) {
  (void)op;
  Kernel kernel;
  Status *status = readProduct(api, info, 1, &kernel.product);
  if (status != 0) return status;
  kernel.rank = MOST_AXES;
  status = getAttributeInts(api, info, "shape", kernel.shape, &kernel.rank);
  if (status == 0 && (*made = malloc(sizeof kernel)) == 0) status = createStatus(api, ORT_FAIL, "meanflow:Product: out of memory.");
  if (status != 0) return freeProduct(&kernel.product), status;
  memcpy(*made, &kernel, sizeof kernel);
  return 0;
}

static void freeKernel(void *kernel) {
  freeProduct(&((Kernel *)kernel)->product);
  free(kernel);
}

static Status *compute(void *data, KernelContext *context) {
  const Kernel *kernel = data;
  const Product *p = &kernel->product;
  Api api = p->api;
  const Value *operands[3];
  void *arrays[3] = {0}, *result;
  Value *output;
  Status *status;
  for (size_t i = 0; i < (p->hasD ? 3 : 2); i++) {
    if ((status = getInput(api, context, i, &operands[i])) != 0) return status;
    if ((status = getTensorData(api, (Value *)operands[i], &arrays[i])) != 0) return status;
  }
  if ((status = getOutput(api, context, 0, kernel->shape, kernel->rank, &output)) != 0) return status;
  if ((status = getTensorData(api, output, &result)) != 0) return status;
  Run run = {.product = p, .a = arrays[0], .b = arrays[1], .d = arrays[2], .c = result, .tasks = p->stack * p->parts};
  const long calls = callsOf(p);
  run.share = (run.tasks + calls - 1) / calls;
  if (calls == 1) share(&run, 0);
  else if ((status = parallelFor(api, context, share, (size_t)((run.tasks + run.share - 1) / run.share), 0, &run)) != 0) return status;
  return run.isShort ? createStatus(api, ORT_FAIL, "meanflow:Product: out of memory.") : 0;
}

static const char *getName(const CustomOp *op) { return (void)op, "Product"; }
static size_t three(const CustomOp *op) { return (void)op, 3; }
/** The third operand may be missing. */
static int lastIsOptional(const CustomOp *op, size_t index) { return (void)op, index == 2 ? OPTIONAL : REQUIRED; }

const CustomOp productOp = {
    .version = OPERATOR_VERSION,
    .get_name = getName,
    .get_provider = noProvider,
    .get_input_type = float32Operand,
    .get_input_count = three,
    .get_output_type = float32Operand,
    .get_output_count = oneOperand,
    .destroy = freeKernel,
    .get_input_characteristic = lastIsOptional,
    .get_output_characteristic = requiredOperand,
    .get_input_memory = defaultMemory,
    .create_kernel_v2 = create,
    .compute_v2 = compute,
};
