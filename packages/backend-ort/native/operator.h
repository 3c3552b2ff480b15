/** What the descriptions of our operators have in common; see CustomOp in ort.h. */
#ifndef MEANFLOW_OPERATOR_H
#define MEANFLOW_OPERATOR_H

#include "ort.h"

/** The version of the description, in which all of its fields that are used are there. */
#define OPERATOR_VERSION 16

/** None: that of the processor. */
static inline const char *noProvider(const CustomOp *op) { return (void)op, NULL; }
static inline size_t oneOperand(const CustomOp *op) { return (void)op, 1; }
static inline int float32Operand(const CustomOp *op, size_t index) { return (void)op, (void)index, FLOAT_TYPE; }
static inline int requiredOperand(const CustomOp *op, size_t index) { return (void)op, (void)index, REQUIRED; }
static inline int anyType(const CustomOp *op, size_t index) { return (void)op, (void)index, ANY_TYPE; }
static inline int variadicOperand(const CustomOp *op, size_t index) { return (void)op, (void)index, VARIADIC; }
static inline int leastArity(const CustomOp *op) { return (void)op, 1; }
static inline int mixedTypes(const CustomOp *op) { return (void)op, 0; }
static inline int defaultMemory(const CustomOp *op, size_t index) { return (void)op, (void)index, MEMORY_DEFAULT; }

#endif
