/** What nodes that have a body share: reading it, and making what it writes. */
#ifndef MEANFLOW_FUSED_OP_H
#define MEANFLOW_FUSED_OP_H

#include "body.h"
#include "operator.h"

/** Reads the attribute `body`; to be given to `freeBody`. */
Status *readBody(Api, const KernelInfo *, Body **);

/** Makes the node's outputs. @param arrays where their elements are to be written */
Status *bodyOutputs(Api, KernelContext *, const Body *, void **arrays);

/** What this processor has, once it is chosen. */
const Operation *chosenOperations(void);

/** Before the first body. */
void chooseOperations(void);

#endif
