/** Path under which pages of tests find ONNX Runtime's WebAssembly files. */
export const ORT_FILES = '/onnxruntime-web/';
