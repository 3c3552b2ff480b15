/**
 * Convolutions in two dimensions, as networks have them (cross-correlations), in float32 and in one group:
 *
 *   out[b, f, y, x] = Σ image[b, c, y·stepY + i·gapY − top, x·stepX + j·gapX − left] · kernel[f, c, i, j]
 *
 * over channels c and places (i, j) of the window, where an image is 0 outside of its height and width. All operands have
 * strides, counted in elements, so that images may have their channels first or last, and gradients, which are convolutions
 * whose batch and channels have changed places, are read where they lie.
 */
#ifndef MEANFLOW_CONVOLUTION_H
#define MEANFLOW_CONVOLUTION_H

#include <stddef.h>

/** From one to the next along the four axes of an operand. */
typedef struct {
  long outer, inner, y, x;
} Axes;

typedef struct {
  long batch, channels, height, width;
  long features, windowHeight, windowWidth;
  long outHeight, outWidth;
  long stepY, stepX, gapY, gapX, top, left;
  Axes image, kernel, out;
} Convolution;

/** How a convolution is cut into tasks, each of some images and some lines of their results. */
typedef struct {
  /** Images and lines of a task, and how many tasks there are along either. */
  long images, lines, groups, bands;
  /** Channels, and lines of the window, whose terms are summed at a time. */
  long channels, windowLines;
  /** Floats of the parts of a workspace: planes with their margins, packed kernel, packed columns, sums. */
  long planes, rows, columns, sums;
} Cut;

/** @param threads that share the tasks */
typedef Cut CutConvolution(const Convolution *, long threads);

/** One task. @param workspace floats as many as the parts of the cut add up to */
typedef void Convolve(const Convolution *, const Cut *, long task, const float *image, const float *kernel, float *out, float *workspace);

#define CONVOLUTION(set) \
  CutConvolution cutConvolution_##set; \
  Convolve convolve_##set;
CONVOLUTION(base)
#ifdef __x86_64__
CONVOLUTION(avx2)
CONVOLUTION(avx512)
#endif
#undef CONVOLUTION

/** What this processor has, once it is chosen. */
typedef struct {
  CutConvolution *cut;
  Convolve *convolve;
} ConvolutionSet;
extern ConvolutionSet convolutionSet;

/** Before the first convolution. */
void chooseConvolution(void);

#endif
