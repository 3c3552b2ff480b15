/**
 * The op Sum of ONNX Runtime: an array of float32 seen as [before, size, after], summed over its middle axis. What it is given:
 *   sizes  [threads to share the work, before, size, after]
 *   shape  of the result, of before × after elements
 *
 * Roundings do not add up: terms are added in parts of some dozen, parts in larger parts, and those pairwise (Higham, "Accuracy
 * and Stability of Numerical Algorithms", section 4.2).
 */
#include <stdlib.h>
#include <string.h>

#include "operator.h"

enum {
  MOST_AXES = 12,
  SIZES = 4,
  /** Columns that are summed at a time: so many partial sums stay in the nearest cache. */
  TILE = 512,
  /** Rows that are added one after another, and the parts of them that are. */
  PART = 32,
  PARTS = 16,
  /** Neighbours that are added side by side, and how many of them before halves are added. */
  LANES = 64,
  RUN = LANES * PART,
  /** Fewer elements are not worth another thread. */
  SERIAL = 1 << 15,
};

typedef struct {
  Api api;
  long threads, before, size, after;
  int64_t shape[MOST_AXES];
  size_t rank;
} Sum;

/** Adds up neighbours. */
static float sumRun(const float *x, long count) {
  if (count > RUN) {
    const long half = (count / 2 + LANES - 1) / LANES * LANES;
    return sumRun(x, half) + sumRun(x + half, count - half);
  }
  float lanes[LANES] = {0};
  long i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int j = 0; j < LANES; j++) lanes[j] += x[i + j];
  for (int j = 0; i < count; i++, j++) lanes[j] += x[i];
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) lanes[j] += lanes[j + half];
  return lanes[0];
}

/** Adds up `rows` rows, `row` apart, of at most a tile. */
static void sumRows(const float *x, long rows, long row, long columns, float *restrict out) {
  if (rows > PART * PARTS) {
    const long half = rows / 2;
    float rest[TILE];
    sumRows(x, half, row, columns, out);
    sumRows(x + half * row, rows - half, row, columns, rest);
    for (long j = 0; j < columns; j++) out[j] += rest[j];
    return;
  }
  float part[TILE];
  memset(out, 0, (size_t)columns * sizeof(float));
  for (long from = 0; from < rows; from += PART) {
    const long end = from + PART < rows ? from + PART : rows;
    memcpy(part, x + from * row, (size_t)columns * sizeof(float));
    for (long r = from + 1; r < end; r++) {
      const float *const terms = x + r * row;
      for (long j = 0; j < columns; j++) part[j] += terms[j];
    }
    for (long j = 0; j < columns; j++) out[j] += part[j];
  }
}

/** One run: the middle axis is shared out in `parts`, whose sums come to stand in `partial`. */
typedef struct {
  const Sum *sum;
  const float *x;
  float *out, *partial;
  long parts, share;
} Run;

/** Sums rows [from, end) of the middle axis of one array. */
static void sumPart(const Sum *s, const float *x, long from, long end, float *out) {
  if (s->after == 1) {
    *out = sumRun(x + from, end - from);
    return;
  }
  for (long j = 0; j < s->after; j += TILE) {
    const long columns = s->after - j < TILE ? s->after - j : TILE;
    sumRows(x + from * s->after + j, end - from, s->after, columns, out + j);
  }
}

static void share(void *data, size_t index) {
  const Run *run = data;
  const Sum *s = run->sum;
  const long array = s->size * s->after;
  if (run->parts > 1) {
    const long task = (long)index, from = task % run->parts * run->share;
    const long end = from + run->share < s->size ? from + run->share : s->size;
    sumPart(s, run->x + task / run->parts * array, from, end < from ? from : end, run->partial + task * s->after);
    return;
  }
  const long from = (long)index * run->share, end = from + run->share < s->before ? from + run->share : s->before;
  for (long i = from; i < end; i++) sumPart(s, run->x + i * array, 0, s->size, run->out + i * s->after);
}

static Status *create(const CustomOp *op, Api api, const KernelInfo *info, void **made) {
  (void)op;
  int64_t sizes[SIZES];
  size_t count = SIZES;
  Sum s = {.api = api, .rank = MOST_AXES};
  Status *status = getAttributeInts(api, info, "sizes", sizes, &count);
  if (status == 0) status = getAttributeInts(api, info, "shape", s.shape, &s.rank);
  if (status != 0) return status;
  if (count != SIZES)
    return createStatus(api, ORT_INVALID_ARGUMENT, "meanflow:Sum: sizes are threads, before, size and after.");
  s.threads = sizes[0], s.before = sizes[1], s.size = sizes[2], s.after = sizes[3];
  if ((*made = malloc(sizeof s)) == 0) return createStatus(api, ORT_FAIL, "meanflow:Sum: out of memory.");
  memcpy(*made, &s, sizeof s);
  return 0;
}

static Status *compute(void *kernel, KernelContext *context) {
  const Sum *s = kernel;
  Api api = s->api;
  const Value *operand;
  Value *output;
  void *x, *out;
  Status *status;
  if ((status = getInput(api, context, 0, &operand)) || (status = getTensorData(api, (Value *)operand, &x)) ||
      (status = getOutput(api, context, 0, s->shape, s->rank, &output)) || (status = getTensorData(api, output, &out)))
    return status;
  Run run = {.sum = s, .x = x, .out = out, .parts = 1, .share = s->before};
  if (s->threads == 1 || s->before * s->size * s->after < SERIAL) {
    share(&run, 0);
    return 0;
  }
  if (s->before >= s->threads) {
    run.share = (s->before + s->threads - 1) / s->threads;
    return parallelFor(api, context, share, (size_t)((s->before + run.share - 1) / run.share), 0, &run);
  }
  run.parts = s->threads;
  run.share = (s->size + run.parts - 1) / run.parts;
  const size_t results = (size_t)(s->before * s->after);
  if ((run.partial = malloc(results * (size_t)run.parts * sizeof(float))) == 0)
    return createStatus(api, ORT_FAIL, "meanflow:Sum: out of memory.");
  status = parallelFor(api, context, share, (size_t)(s->before * run.parts), 0, &run);
  for (long i = 0; status == 0 && i < s->before; i++) {
    const float *const parts = run.partial + i * run.parts * s->after;
    float *const sums = run.out + i * s->after;
    memcpy(sums, parts, (size_t)s->after * sizeof(float));
    for (long part = 1; part < run.parts; part++)
      for (long j = 0; j < s->after; j++) sums[j] += parts[part * s->after + j];
  }
  free(run.partial);
  return status;
}

static const char *getName(const CustomOp *op) { return (void)op, "Sum"; }

const CustomOp sumOp = {
    .version = OPERATOR_VERSION,
    .get_name = getName,
    .get_provider = noProvider,
    .get_input_type = float32Operand,
    .get_input_count = oneOperand,
    .get_output_type = float32Operand,
    .get_output_count = oneOperand,
    .destroy = free,
    .get_input_characteristic = requiredOperand,
    .get_output_characteristic = requiredOperand,
    .get_input_memory = defaultMemory,
    .create_kernel_v2 = create,
    .compute_v2 = compute,
};
