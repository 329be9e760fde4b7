{
  "targets": [
    {
      "target_name": "thalweg_bpf",
      "sources": ["addon.cc"],
      "cflags_cc": ["-std=c++17", "-O2", "-fno-exceptions", "-Wall", "-Wextra", "-Werror"],
      "libraries": ["-lbpf", "-lpthread"],
      "defines": ["NAPI_VERSION=8"]
    }
  ]
}
