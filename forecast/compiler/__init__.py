"""The compiler: PyTensor's graphs as one function of LLVM, made once and kept on disk."""
