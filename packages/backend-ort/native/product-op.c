/**
 * The op Product of ONNX Runtime: stacks of matrix products by strides, shared out over the threads of the session. What it
 * is given stands in five lists of integers:
 *   sizes  [alpha as bits, threads to share the work, rows, columns, terms, …batch]
 *   a b c  [offset, from row to row, from column to column, …along the batch]
 *   d      the same, where there is a third operand
 *   shape  of what is written
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "operator.h"
#include "processor.h"
#include "product.h"

enum { MOST_AXES = 12, MOST_BATCH = 4, SIZES = 5 };

/** Below so many multiplications, waking another thread costs more than it does. */
enum { SERIAL = 1 << 16 };

typedef struct {
  long offset, row, column, batch[MOST_BATCH];
} Matrix;

typedef struct {
  Api api;
  Strides strides;
  long threads, rows, columns, stack;
  long rank, batch[MOST_BATCH];
  Matrix a, b, c, d;
  int64_t shape[MOST_AXES];
  size_t shapeRank;
  /** Whether columns are shared out, or else rows; and in how many parts each product of the stack. */
  int byColumns, hasD;
  long parts;
} Product;

/** One run. */
typedef struct {
  const Product *product;
  const float *a, *b, *d;
  float *c;
  /** Parts of the work that one call takes, so that a thread keeps what it packed. */
  long tasks, share;
  /** Set by a call that got no memory. */
  atomic_bool isShort;
} Run;

static Multiply *multiply;
static long workspaceBytes;

/** Chooses what this processor has. */
void chooseProduct(void) {
  multiply = product_base;
  workspaceBytes = productWorkspace_base;
#ifdef __x86_64__
  const enum InstructionSet set = instructionSet();
  if (set == AVX512) multiply = product_avx512, workspaceBytes = productWorkspace_avx512;
  if (set == AVX2) multiply = product_avx2, workspaceBytes = productWorkspace_avx2;
#endif
}

/**
 * Memory for packed panels, of as many calls as run at once, kept for later ones: sessions come and go with their threads, and what
 * belonged to a thread would be lost with it.
 */
enum { SLOTS = 64 };
static struct {
  atomic_bool isTaken;
  float *memory;
} slots[SLOTS];

static float *newWorkspace(void) {
  return aligned_alloc(64, (size_t)(workspaceBytes + 63) / 64 * 64);
}

/** Null where there is no memory. @param slot to be given back by `giveBack` */
static float *takeWorkspace(int *slot) {
  for (*slot = 0; *slot < SLOTS; ++*slot) {
    if (atomic_exchange(&slots[*slot].isTaken, true)) continue;
    if (slots[*slot].memory == 0) slots[*slot].memory = newWorkspace();
    return slots[*slot].memory;
  }
  return newWorkspace();
}

static void giveBack(int slot, float *memory) {
  if (slot == SLOTS) free(memory);
  else atomic_store(&slots[slot].isTaken, false);
}

static long smaller(long a, long b) {
  return a < b ? a : b;
}

/** Where a product of the stack begins. */
static long at(const Product *p, const Matrix *matrix, long index) {
  long place = matrix->offset;
  for (long axis = p->rank - 1; axis >= 0; axis--) {
    place += index % p->batch[axis] * matrix->batch[axis];
    index /= p->batch[axis];
  }
  return place;
}

/** One part of one product of the stack. */
static void part(const Run *run, long task, float *workspace) {
  const Product *p = run->product;
  const long index = task / p->parts, which = task % p->parts;
  const float *a = run->a + at(p, &p->a, index), *b = run->b + at(p, &p->b, index);
  const float *d = run->d ? run->d + at(p, &p->d, index) : 0;
  float *c = run->c + at(p, &p->c, index);
  /* In whole panels: 48 rows or columns are some of each instruction set. */
  const long whole = p->byColumns ? p->columns : p->rows;
  const long size = ((whole + p->parts - 1) / p->parts + 47) / 48 * 48;
  const long from = which * size, count = smaller(size, whole - from);
  if (count <= 0) return;
  if (p->byColumns)
    multiply(&p->strides, a, b + from * p->strides.bColumn, d ? d + from : 0, c + from * p->strides.cColumn, p->rows, count, workspace);
  else
    multiply(&p->strides, a + from * p->strides.aRow, b, d ? d + from * p->strides.dRow : 0, c + from * p->strides.cRow, count, p->columns, workspace);
}

static void share(void *data, size_t index) {
  Run *run = data;
  const long from = (long)index * run->share;
  int slot;
  float *const workspace = takeWorkspace(&slot);
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

static Status *create(const CustomOp *op, Api api, const KernelInfo *info, void **made) {
  (void)op;
  int64_t sizes[SIZES + MOST_BATCH];
  size_t count;
  Product p = {.api = api, .stack = 1};
  if (!readInts(api, info, "sizes", sizes, SIZES + MOST_BATCH, &count) || count < SIZES)
    return createStatus(api, ORT_INVALID_ARGUMENT, "meanflow:Product: sizes are alpha, threads, rows, columns, terms and at most four more.");
  const size_t rank = count - SIZES;
  if (!readMatrix(api, info, "a", &p.a, rank) || !readMatrix(api, info, "b", &p.b, rank) ||
      !readMatrix(api, info, "c", &p.c, rank) ||
      !readInts(api, info, "shape", p.shape, MOST_AXES, &p.shapeRank))
    return createStatus(api, ORT_INVALID_ARGUMENT, "meanflow:Product: a, b and c are an offset and strides, shape has at most 12 axes.");
  p.hasD = readMatrix(api, info, "d", &p.d, rank);
  p.rank = (long)rank;
  const int32_t bits = (int32_t)sizes[0];
  memcpy(&p.strides.alpha, &bits, sizeof bits);
  p.threads = sizes[1], p.rows = sizes[2], p.columns = sizes[3], p.strides.terms = sizes[4];
  for (size_t i = 0; i < rank; i++) p.stack *= p.batch[i] = sizes[SIZES + i];
  p.strides.aRow = p.a.row, p.strides.aTerm = p.a.column;
  p.strides.bTerm = p.b.row, p.strides.bColumn = p.b.column;
  p.strides.cRow = p.c.row, p.strides.cColumn = p.c.column;
  p.strides.dRow = p.d.row;
  p.byColumns = p.columns > p.rows;
  const long most = ((p.byColumns ? p.columns : p.rows) + 47) / 48;
  const long wanted = (p.threads + p.stack - 1) / p.stack;
  p.parts = most < wanted ? most : wanted;
  if (p.parts < 1) p.parts = 1;
  if ((*made = malloc(sizeof p)) == 0) return createStatus(api, ORT_FAIL, "meanflow:Product: out of memory.");
  memcpy(*made, &p, sizeof p);
  return 0;
}

static Status *finished(Api api, Run *run) {
  return run->isShort ? createStatus(api, ORT_FAIL, "meanflow:Product: out of memory.") : 0;
}

static Status *compute(void *kernel, KernelContext *context) {
  const Product *p = kernel;
  Api api = p->api;
  const Value *operands[3];
  void *data[3] = {0}, *result;
  Value *output;
  Status *status;
  for (size_t i = 0; i < (p->hasD ? 3 : 2); i++) {
    if ((status = getInput(api, context, i, &operands[i])) != 0) return status;
    if ((status = getTensorData(api, (Value *)operands[i], &data[i])) != 0) return status;
  }
  if ((status = getOutput(api, context, 0, p->shape, p->shapeRank, &output)) != 0) return status;
  if ((status = getTensorData(api, output, &result)) != 0) return status;
  Run run = {.product = p, .a = data[0], .b = data[1], .d = data[2], .c = result, .tasks = p->stack * p->parts, .share = 1};
  if (run.tasks == 1 || p->rows * p->columns * p->strides.terms * p->stack < SERIAL) {
    run.share = run.tasks;
    share(&run, 0);
    return finished(api, &run);
  }
  const long calls = smaller(run.tasks, p->threads);
  run.share = (run.tasks + calls - 1) / calls;
  status = parallelFor(api, context, share, (size_t)((run.tasks + run.share - 1) / run.share), 0, &run);
  return status != 0 ? status : finished(api, &run);
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
    .destroy = free,
    .get_input_characteristic = lastIsOptional,
    .get_output_characteristic = requiredOperand,
    .get_input_memory = defaultMemory,
    .create_kernel_v2 = create,
    .compute_v2 = compute,
};
