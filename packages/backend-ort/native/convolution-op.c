/**
 * The op Convolution of ONNX Runtime: convolutions by strides (convolution.h), shared out over the threads of the session. What it is
 * given stands in lists of integers:
 *   sizes   [threads to share the work, batch, channels, height, width, features, window height and width, height and width of
 *           the result, step down and across, gap down and across, rows of zeros above, columns of zeros to the left]
 *   image   [offset, strides of batch, channels, height, width]
 *   kernel  [offset, strides of features, channels, height, width]
 *   out     [strides of batch, features, height, width]
 *   shape   of what is written
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "convolution.h"
#include "operator.h"
#include "processor.h"
#include "workspace.h"

enum {
  MOST_AXES = 12,
  SIZES = 16,
  /** Below so many multiplications, waking another thread costs more than it does. */
  SERIAL = 1 << 16,
};

typedef struct {
  Api api;
  Convolution convolution;
  Cut cut;
  long imageOffset, kernelOffset, calls;
  int64_t shape[MOST_AXES];
  size_t rank;
} Kernel;

/** One run. */
typedef struct {
  const Kernel *op;
  const float *image, *kernel;
  float *out;
  /** Tasks that one call takes. */
  long share;
  /** Set by a call that got no memory. */
  atomic_bool isShort;
} Run;

ConvolutionSet convolutionSet;

void chooseConvolution(void) {
#define CHOOSE(set) convolutionSet = (ConvolutionSet){cutConvolution_##set, convolve_##set}
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

static void share(void *data, size_t index) {
  Run *run = data;
  const Kernel *op = run->op;
  const Cut *cut = &op->cut;
  const long from = (long)index * run->share, end = smaller(from + run->share, cut->groups * cut->bands);
  int slot;
  float *const workspace = takeWorkspace((size_t)(cut->planes + cut->rows + cut->columns + cut->sums) * sizeof(float), &slot);
  if (workspace == 0) run->isShort = true;
  else for (long task = from; task < end; task++) convolutionSet.convolve(&op->convolution, cut, task, run->image, run->kernel, run->out, workspace);
  giveBack(slot, workspace);
}

/** Exactly `wanted` numbers. */
static Status *readNumbers(Api api, const KernelInfo *info, const char *name, int64_t *out, size_t wanted) {
  size_t count = wanted;
  Status *status = getAttributeInts(api, info, name, out, &count);
  if (status != 0 || count == wanted) return status;
  return createStatus(api, ORT_INVALID_ARGUMENT, "meanflow:Convolution: an attribute has too few numbers.");
}

static Axes axesOf(const int64_t *numbers) {
  return (Axes){numbers[0], numbers[1], numbers[2], numbers[3]};
}

static Status *create(const CustomOp *op, Api api, const KernelInfo *info, void **made) {
  (void)op;
  Kernel kernel = {.api = api, .rank = MOST_AXES};
  int64_t sizes[SIZES], image[5], weights[5], out[4];
  Status *status;
  if ((status = readNumbers(api, info, "sizes", sizes, SIZES)) != 0) return status;
  if ((status = readNumbers(api, info, "image", image, 5)) != 0) return status;
  if ((status = readNumbers(api, info, "kernel", weights, 5)) != 0) return status;
  if ((status = readNumbers(api, info, "out", out, 4)) != 0) return status;
  if ((status = getAttributeInts(api, info, "shape", kernel.shape, &kernel.rank)) != 0) return status;
  Convolution *const v = &kernel.convolution;
  *v = (Convolution){
      .batch = sizes[1], .channels = sizes[2], .height = sizes[3], .width = sizes[4],
      .features = sizes[5], .windowHeight = sizes[6], .windowWidth = sizes[7],
      .outHeight = sizes[8], .outWidth = sizes[9],
      .stepY = sizes[10], .stepX = sizes[11], .gapY = sizes[12], .gapX = sizes[13], .top = sizes[14], .left = sizes[15],
      .image = axesOf(image + 1), .kernel = axesOf(weights + 1), .out = axesOf(out),
  };
  kernel.imageOffset = image[0], kernel.kernelOffset = weights[0];
  kernel.cut = convolutionSet.cut(v, sizes[0]);
  const double work = (double)v->batch * v->features * v->outHeight * v->outWidth * v->channels * v->windowHeight * v->windowWidth;
  kernel.calls = work < SERIAL ? 1 : smaller(sizes[0], kernel.cut.groups * kernel.cut.bands);
  if ((*made = malloc(sizeof kernel)) == 0) return createStatus(api, ORT_FAIL, "meanflow:Convolution: out of memory.");
  memcpy(*made, &kernel, sizeof kernel);
  return 0;
}

static Status *compute(void *data, KernelContext *context) {
  const Kernel *kernel = data;
  Api api = kernel->api;
  const Value *operands[2];
  void *arrays[2], *result;
  Value *output;
  Status *status;
  for (size_t i = 0; i < 2; i++) {
    if ((status = getInput(api, context, i, &operands[i])) != 0) return status;
    if ((status = getTensorData(api, (Value *)operands[i], &arrays[i])) != 0) return status;
  }
  if ((status = getOutput(api, context, 0, kernel->shape, kernel->rank, &output)) != 0) return status;
  if ((status = getTensorData(api, output, &result)) != 0) return status;
  const long tasks = kernel->cut.groups * kernel->cut.bands;
  Run run = {
      .op = kernel,
      .image = (const float *)arrays[0] + kernel->imageOffset,
      .kernel = (const float *)arrays[1] + kernel->kernelOffset,
      .out = result,
      .share = (tasks + kernel->calls - 1) / kernel->calls,
  };
  if (kernel->calls == 1) share(&run, 0);
  else if ((status = parallelFor(api, context, share, (size_t)((tasks + run.share - 1) / run.share), 0, &run)) != 0) return status;
  return run.isShort ? createStatus(api, ORT_FAIL, "meanflow:Convolution: out of memory.") : 0;
}

static const char *getName(const CustomOp *op) { return (void)op, "Convolution"; }
static size_t two(const CustomOp *op) { return (void)op, 2; }

const CustomOp convolutionOp = {
    .version = OPERATOR_VERSION,
    .get_name = getName,
    .get_provider = noProvider,
    .get_input_type = float32Operand,
    .get_input_count = two,
    .get_output_type = float32Operand,
    .get_output_count = oneOperand,
    .destroy = free,
    .get_input_characteristic = requiredOperand,
    .get_output_characteristic = requiredOperand,
    .get_input_memory = defaultMemory,
    .create_kernel_v2 = create,
    .compute_v2 = compute,
};
