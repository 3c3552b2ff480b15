/**
 * The library as ONNX Runtime sees it: custom operators of the domain `meanflow`: `Product` (product-op.c), `Fused` (fused-op.c),
 * both in one (fused-product-op.c), `Convolution` (convolution-op.c) and `Sum` (sum-op.c). `RegisterCustomOps` is what the runtime calls after it has loaded the library.
 */
#include <stdio.h>

#include "convolution.h"
#include "fused-op.h"
#include "operator.h"
#include "product.h"

extern const CustomOp fusedOp, productOp, fusedProductOp, convolutionOp, sumOp;

static Status *failed(Api api, const char *what, const char *why) {
  char message[256];
  snprintf(message, sizeof message, "meanflow: %s: %s.", what, why);
  return createStatus(api, ORT_INVALID_ARGUMENT, message);
}

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
    chooseConvolution();
    CustomOpDomain *made;
    if ((status = createCustomOpDomain(api, "meanflow", &made)) || (status = addToDomain(api, made, &fusedOp)) ||
        (status = addToDomain(api, made, &productOp)) || (status = addToDomain(api, made, &fusedProductOp)) ||
        (status = addToDomain(api, made, &convolutionOp)) || (status = addToDomain(api, made, &sumOp)))
      return status;
    domain = made;
  }
  return addDomain(api, options, domain);
}
