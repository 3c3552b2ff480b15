/** Which of the instruction sets that the library is built for this processor has. */
#ifndef MEANFLOW_PROCESSOR_H
#define MEANFLOW_PROCESSOR_H

enum InstructionSet { BASE, AVX2, AVX512 };

static inline enum InstructionSet instructionSet(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    return AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return AVX2;
#endif
  return BASE;
}

#endif
