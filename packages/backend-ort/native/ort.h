/**
 * What the library uses of ONNX Runtime's C API: a table of functions in which a place, once taken, is never given to
 * another function, and the description of a custom operator, which grows at its end only. Written down here as numbers,
 * so that building the library needs no header of the runtime.
 */
#ifndef MEANFLOW_ORT_H
#define MEANFLOW_ORT_H

#include <stddef.h>
#include <stdint.h>

/** The version of the API in which all of the below is there (ONNX Runtime 1.17). */
#define ORT_VERSION 17

typedef struct Status Status;
typedef struct Value Value;
typedef struct KernelInfo KernelInfo;
typedef struct KernelContext KernelContext;
typedef struct SessionOptions SessionOptions;
typedef struct CustomOpDomain CustomOpDomain;

/** The table; an entry is read as the type of its function by the macros that follow. */
typedef void *const *Api;

typedef struct {
  Api (*get_api)(uint32_t version);
  const char *(*get_version_string)(void);
} ApiBase;

#define createStatus(api, code, message) ((Status * (*)(int, const char *))(api)[0])(code, message)
#define createCustomOpDomain(api, name, out) \
  ((Status * (*)(const char *, CustomOpDomain **))(api)[26])(name, out)
#define addToDomain(api, domain, op) \
  ((Status * (*)(CustomOpDomain *, const CustomOp *))(api)[27])(domain, op)
#define addDomain(api, options, domain) \
  ((Status * (*)(SessionOptions *, CustomOpDomain *))(api)[28])(options, domain)
#define getTensorData(api, value, out) ((Status * (*)(Value *, void **))(api)[51])(value, out)
#define getInputCount(api, context, out) \
  ((Status * (*)(const KernelContext *, size_t *))(api)[88])(context, out)
#define getOutputCount(api, context, out) \
  ((Status * (*)(const KernelContext *, size_t *))(api)[89])(context, out)
#define getInput(api, context, index, out) \
  ((Status * (*)(const KernelContext *, size_t, const Value **))(api)[90])(context, index, out)
#define getOutput(api, context, index, dims, rank, out) \
  ((Status * (*)(KernelContext *, size_t, const int64_t *, size_t, Value **))(api)[91])(context, index, dims, rank, out)
#define releaseStatus(api, status) ((void (*)(Status *))(api)[93])(status)
#define getAttributeInts(api, info, name, out, size) \
  ((Status * (*)(const KernelInfo *, const char *, int64_t *, size_t *))(api)[163])(info, name, out, size)
#define getConstantInput(api, info, index, is, out) \
  ((Status * (*)(const KernelInfo *, size_t, int *, const Value **))(api)[249])(info, index, is, out)
#define parallelFor(api, context, work, total, batches, data) \
  ((Status * (*)(const KernelContext *, void (*)(void *, size_t), size_t, size_t, void *))(api)[274])(context, work, total, batches, data)

enum { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2 };
/** Whether an operand has to be there, may be missing, or may be repeated. */
enum { REQUIRED, OPTIONAL, VARIADIC };
/** Element types: any, and float32. */
enum { ANY_TYPE, FLOAT_TYPE };
/** Where operands lie: the provider's own memory. */
enum { MEMORY_DEFAULT = 0 };

typedef struct CustomOp {
  uint32_t version;
  void *(*create_kernel)(const struct CustomOp *, Api, const KernelInfo *);
  const char *(*get_name)(const struct CustomOp *);
  const char *(*get_provider)(const struct CustomOp *);
  int (*get_input_type)(const struct CustomOp *, size_t);
  size_t (*get_input_count)(const struct CustomOp *);
  int (*get_output_type)(const struct CustomOp *, size_t);
  size_t (*get_output_count)(const struct CustomOp *);
  void (*compute)(void *, KernelContext *);
  void (*destroy)(void *);
  int (*get_input_characteristic)(const struct CustomOp *, size_t);
  int (*get_output_characteristic)(const struct CustomOp *, size_t);
  int (*get_input_memory)(const struct CustomOp *, size_t);
  int (*get_input_min_arity)(const struct CustomOp *);
  int (*get_input_homogeneity)(const struct CustomOp *);
  int (*get_output_min_arity)(const struct CustomOp *);
  int (*get_output_homogeneity)(const struct CustomOp *);
  Status *(*create_kernel_v2)(const struct CustomOp *, Api, const KernelInfo *, void **);
  Status *(*compute_v2)(void *, KernelContext *);
  void *infer_output_shape;
  int (*get_start_version)(const struct CustomOp *);
  int (*get_end_version)(const struct CustomOp *);
  void *in_place[4];
} CustomOp;

#endif
