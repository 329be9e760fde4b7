{
  "targets": [
    {
      "target_name": "thalweg_sockets",
      "sources": ["addon.cc"],
      "cflags_cc": ["-std=c++17", "-O2", "-fno-exceptions", "-Wall", "-Wextra", "-Werror"],
      "defines": ["NAPI_VERSION=8"]
    }
  ]
}
