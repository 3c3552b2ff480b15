/**
 * Convolutions as matrix products: rows are the features of the kernel, columns the places of the result, terms the channels and
 * the places of the window. The columns are nowhere: planes of some channels are copied with their margins of zeros, so that
 * no place needs a condition, and packed from there, panel by panel, in the order in which kernels in registers read them.
 *
 * The gradient of a convolution by its kernel is one too, whose window is as large as the image: its columns are short and its
 * terms long, and they are packed along the terms.
 *
 * The file is compiled once for each instruction set, with VECTOR floats in a vector and SET in its names.
 */
#include "convolution.h"

#include "panels.h"

enum {
  /** Places of the result that are computed at a time: their panels, and sums for some dozen features, stay in the second-level cache. */
  PLACES = 288,
};

/** Terms that lie side by side in so many are packed along the terms. */
static const long LONG_TERMS = 8;

static inline long larger(long a, long b) {
  return a > b ? a : b;
}

static inline long parts(long whole, long part) {
  return (whole + part - 1) / part;
}

/** Lines (or columns) of a plane that `count` places read, through so many lines of the window. */
static inline long reach(long count, long step, long window, long gap) {
  return (count - 1) * step + (window - 1) * gap + 1;
}

static inline long planeWidth(const Convolution *v) {
  return reach(v->outWidth, v->stepX, v->windowWidth, v->gapX);
}

static inline long vectorsOf(long columns) {
  return parts(columns, VECTOR) * VECTOR;
}

Cut NAMED(cutConvolution, SET)(const Convolution *v, long threads) {
  const long places = v->outHeight * v->outWidth, window = v->windowHeight * v->windowWidth;
  Cut cut = {.images = 1, .bands = parts(places, PLACES)};
  if (cut.bands > v->outHeight) cut.bands = v->outHeight;
  cut.lines = parts(v->outHeight, cut.bands);
  cut.bands = parts(v->outHeight, cut.lines);
  if (cut.bands == 1) {
    /* As many groups for each thread, of about the same size. */
    const long most = larger(1, PLACES / places), least = parts(v->batch, most);
    cut.groups = smaller(v->batch, parts(least, threads) * threads);
    cut.images = parts(v->batch, cut.groups);
  }
  cut.groups = parts(v->batch, cut.images);
  cut.windowLines = smaller(v->windowHeight, larger(1, DEPTH / v->windowWidth));
  cut.channels = cut.windowLines < v->windowHeight ? 1 : smaller(v->channels, larger(1, DEPTH / window));
  const long depth = cut.channels * cut.windowLines * v->windowWidth;
  const long columns = vectorsOf(cut.images * cut.lines * v->outWidth);
  cut.planes = cut.channels * cut.images * reach(cut.lines, v->stepY, cut.windowLines, v->gapY) * planeWidth(v);
  cut.rows = parts(v->features, ROWS) * ROWS * depth;
  cut.columns = columns * depth;
  cut.sums = v->features * columns;
  /* Each part on cache lines of its own. */
  cut.planes = parts(cut.planes + COLUMNS, LINE) * LINE;
  cut.rows = parts(cut.rows, LINE) * LINE;
  cut.columns = parts(cut.columns, LINE) * LINE;
  cut.sums = parts(cut.sums, LINE) * LINE;
  return cut;
}

/** What a call sums at a time: the places of the task, and the terms of these channels and lines of the window. */
typedef struct {
  long image, images, line, lines;
  long channel, channels, windowLine, windowLines;
  /** Lines and columns of a plane with its margins. */
  long height, width;
} Block;

/** Copies planes with their margins: `[channels, images, height, width]`. */
static void copyPlanes(const Convolution *v, const Block *b, const float *image, float *to) {
  const long y0 = b->line * v->stepY + b->windowLine * v->gapY - v->top, x0 = -v->left;
  const long from = smaller(b->width, larger(0, -x0)), end = larger(from, smaller(b->width, v->width - x0));
  for (long c = 0; c < b->channels; c++)
    for (long n = 0; n < b->images; n++) {
      const float *const plane = image + (b->image + n) * v->image.outer + (b->channel + c) * v->image.inner;
      for (long y = 0; y < b->height; y++, to += b->width) {
        if (y0 + y < 0 || y0 + y >= v->height) {
          memset(to, 0, b->width * sizeof(float));
          continue;
        }
        const float *const line = plane + (y0 + y) * v->image.y + x0 * v->image.x;
        for (long x = 0; x < from; x++) to[x] = 0;
        if (v->image.x == 1)
          memcpy(to + from, line + from, (end - from) * sizeof(float));
        else
          for (long x = from; x < end; x++) to[x] = line[x * v->image.x];
        for (long x = end; x < b->width; x++) to[x] = 0;
      }
    }
}

/** Where the columns begin in the planes of the first channel; those that are there only to fill a vector, anywhere. */
static void placeColumns(const Convolution *v, const Block *b, long count, int *starts) {
  long at = 0;
  for (long n = 0; n < b->images; n++)
    for (long y = 0; y < b->lines; y++)
      for (long x = 0; x < v->outWidth; x++)
        starts[at++] = (int)((n * b->height + y * v->stepY) * b->width + x * v->stepX);
  while (at < count) starts[at++] = 0;
}

/** Packs a panel of columns from the planes, of which `run` at a time lie side by side. */
static void packRuns(const Convolution *v, const Block *b, const float *planes, const int *starts, long width, long run, float *to) {
  const long channel = b->images * b->height * b->width;
  for (long c = 0; c < b->channels; c++)
    for (long i = 0; i < b->windowLines; i++)
      for (long j = 0; j < v->windowWidth; j++, to += width) {
        const float *const from = planes + c * channel + i * v->gapY * b->width + j * v->gapX;
#define COPY(size) \
  for (long at = 0; at < width; at += size) memcpy(to + at, from + starts[at], size * sizeof(float))
        if (run >= 16) COPY(16);
        else if (run == 8) COPY(8);
        else if (run == 4) COPY(4);
        else if (run == 2) COPY(2);
        else COPY(1);
#undef COPY
      }
}

/** The same, along terms that lie side by side. */
static void packTerms(const Convolution *v, const Block *b, const float *planes, const int *starts, long width, float *to) {
  const long channel = b->images * b->height * b->width;
  for (long c = 0; c < b->channels; c++)
    for (long i = 0; i < b->windowLines; i++, to += v->windowWidth * width) {
      const float *const from = planes + c * channel + i * v->gapY * b->width;
      long at = 0;
      for (; at + 8 <= width; at += 8) {
        long j = 0;
        for (; j + 8 <= v->windowWidth; j += 8) {
          Eight x[8];
          for (int k = 0; k < 8; k++) x[k] = *(const Eight *)(from + starts[at + k] + j);
          transposeEight(x, to + j * width + at, width);
        }
        for (; j < v->windowWidth; j++)
          for (int k = 0; k < 8; k++) to[j * width + at + k] = from[starts[at + k] + j];
      }
      for (; at < width; at++)
        for (long j = 0; j < v->windowWidth; j++) to[j * width + at] = from[starts[at] + j];
    }
}

/** Columns that lie side by side in the planes whichever line they are of, as a power of 2. */
static long runOf(const Convolution *v) {
  if (v->stepX != 1) return 1;
  long run = smaller(16, VECTOR);
  while (v->outWidth % run != 0) run /= 2;
  return run;
}

/** Packs the terms of all features, panel after panel of ROWS. */
static void packKernel(const Convolution *v, const Block *b, const float *kernel, float *to) {
  const Axes *const k = &v->kernel;
  const long terms = b->channels * b->windowLines * v->windowWidth;
  /* Terms at even distances are packed in one go. */
  const int linesJoin = b->windowLines == 1 || k->y == v->windowWidth * k->x;
  const long lines = linesJoin ? b->windowLines : 1;
  const int channelsJoin = linesJoin && (b->channels == 1 || k->inner == b->windowLines * k->y);
  const long channels = channelsJoin ? b->channels : 1, stretch = channels * lines * v->windowWidth;
  for (long f = 0; f < v->features; f += ROWS, to += ROWS * terms) {
    float *at = to;
    for (long c = 0; c < b->channels; c += channels)
      for (long i = 0; i < b->windowLines; i += lines, at += ROWS * stretch)
        pack(kernel + f * k->outer + (b->channel + c) * k->inner + (b->windowLine + i) * k->y, k->outer, k->x, smaller(ROWS, v->features - f),
             stretch, ROWS, at);
  }
}

/** Writes the sums where they belong. */
static void writeSums(const Convolution *v, const Block *b, const float *sums, long row, float *out) {
  for (long f = 0; f < v->features; f++) {
    const float *from = sums + f * row;
    for (long n = 0; n < b->images; n++)
      for (long y = 0; y < b->lines; y++, from += v->outWidth) {
        float *const line = out + (b->image + n) * v->out.outer + f * v->out.inner + (b->line + y) * v->out.y;
        if (v->out.x == 1)
          memcpy(line, from, v->outWidth * sizeof(float));
        else
          for (long x = 0; x < v->outWidth; x++) line[x * v->out.x] = from[x];
      }
  }
}

void NAMED(convolve, SET)(const Convolution *v, const Cut *cut, long task, const float *image, const float *kernel, float *out,
                          float *workspace) {
  float *const planes = workspace, *const rows = planes + cut->planes, *const packed = rows + cut->rows, *const sums = packed + cut->columns;
  const long first = task / cut->bands * cut->images, line = task % cut->bands * cut->lines;
  Block b = {
      .image = first,
      .images = smaller(cut->images, v->batch - first),
      .line = line,
      .lines = smaller(cut->lines, v->outHeight - line),
      .width = planeWidth(v),
  };
  const long columns = vectorsOf(b.images * b.lines * v->outWidth);
  int starts[vectorsOf(cut->images * cut->lines * v->outWidth)];
  const long run = runOf(v);
  const int byTerms = v->gapX == 1 && v->windowWidth >= LONG_TERMS && run < LONG_TERMS;
  /* All terms of a kernel's channels side by side are read where they lie. */
  const Axes *const k = &v->kernel;
  const Strides strides = {.alpha = 1, .aRow = k->outer, .cRow = columns, .cColumn = 1};
  int add = 0;
  for (b.channel = 0; b.channel < v->channels; b.channel += cut->channels)
    for (b.windowLine = 0; b.windowLine < v->windowHeight; b.windowLine += cut->windowLines) {
      b.channels = smaller(cut->channels, v->channels - b.channel);
      b.windowLines = smaller(cut->windowLines, v->windowHeight - b.windowLine);
      b.height = reach(b.lines, v->stepY, b.windowLines, v->gapY);
      const long depth = b.channels * b.windowLines * v->windowWidth;
      copyPlanes(v, &b, image, planes);
      placeColumns(v, &b, columns, starts);
      float *to = packed;
      for (long j = 0, width; j < columns; j += width, to += width * depth) {
        width = nextPanel(columns - j) * VECTOR;
        if (byTerms) packTerms(v, &b, planes, starts + j, width, to);
        else packRuns(v, &b, planes, starts + j, width, run, to);
      }
      const int isInPlace = k->x == 1 && (b.windowLines == 1 || k->y == v->windowWidth) &&
                            (b.channels == 1 || k->inner == b.windowLines * v->windowWidth) && v->features % ROWS == 0;
      if (!isInPlace) packKernel(v, &b, kernel, rows);
      multiplyRows(&strides, kernel + b.channel * k->inner + b.windowLine * k->y, isInPlace ? v->features : 0, rows, packed, 0, sums,
                   v->features, columns, depth, add);
      add = 1;
    }
  writeSums(v, &b, sums, columns, out);
}
