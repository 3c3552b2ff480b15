/* Preloaded, it tells MKL that the processor is Intel's, so that PyTorch takes MKL's fast matrix products on others too:
 *     gcc -shared -fPIC -o fast_mkl.so fast_mkl.c && LD_PRELOAD=$PWD/fast_mkl.so python ... */
int mkl_serv_intel_cpu_true(void) { return 1; }
int mkl_serv_intel_cpu(void) { return 1; }
