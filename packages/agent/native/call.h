// What the addon's functions share: the handle of an object, the arguments of a call, errors.
#pragma once

#include <bpf/libbpf.h>
#include <errno.h>
#include <node_api.h>
#include <string.h>

#include <string>
#include <vector>

struct Mapping {
  void *address;
  size_t size;
  napi_ref buffer;
};

struct Object {
  bpf_object *bpf = nullptr;
  std::vector<bpf_link *> links;
  // Links that libbpf has no function for; -1 where one was taken off.
  std::vector<int> link_fds;
  std::vector<Mapping> mappings;
  unsigned long *consumer = nullptr;
  int statistics = -1;
};

inline thread_local std::string libbpf_log;

inline napi_value fail(napi_env env, int error, const std::string &what) {
  if (error < 0) error = -error;
  const char *name = strerrorname_np(error);
  napi_value message, code, thrown, value;
  std::string text = what + ": " + strerror(error);
  napi_create_string_utf8(env, text.c_str(), text.size(), &message);
  napi_create_string_utf8(env, name ? name : "ELIBBPF", NAPI_AUTO_LENGTH, &code);
  napi_create_error(env, code, message, &thrown);
  napi_create_int32(env, error, &value);
  napi_set_named_property(env, thrown, "errno", value);
  napi_create_string_utf8(env, libbpf_log.c_str(), libbpf_log.size(), &value);
  napi_set_named_property(env, thrown, "log", value);
  libbpf_log.clear();
  napi_throw(env, thrown);
  return nullptr;
}

// The arguments of a call: all must be there, the first one is usually a handle.
struct Call {
  napi_env env;
  napi_value values[5];
  size_t count = 5;

  Call(napi_env env, napi_callback_info info) : env(env) {
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  }
  std::string text(size_t at) const {
    char bytes[4096] = "";
    size_t size = 0;
    if (at < count) napi_get_value_string_utf8(env, values[at], bytes, sizeof bytes, &size);
    return std::string(bytes, size);
  }
  double number(size_t at) const {
    double value = 0;
    if (at < count) napi_get_value_double(env, values[at], &value);
    return value;
  }
  bool flag(size_t at) const {
    bool value = false;
    if (at < count) napi_get_value_bool(env, values[at], &value);
    return value;
  }
  Object *object() const {
    void *pointer = nullptr;
    if (count == 0 || napi_get_value_external(env, values[0], &pointer) != napi_ok) {
      napi_throw_type_error(env, "EINVAL", "the first argument is not a bpf object");
      return nullptr;
    }
    Object *object = static_cast<Object *>(pointer);
    if (object->bpf) return object;
    napi_throw_error(env, "EBADF", "the bpf object is closed");
    return nullptr;
  }
  // Bytes of a Uint8Array; null and size 0 for anything else.
  void *bytes(size_t at, size_t *size) const {
    *size = 0;
    bool is_typed = false;
    if (at >= count || napi_is_typedarray(env, values[at], &is_typed) != napi_ok || !is_typed)
      return nullptr;
    napi_typedarray_type type;
    void *data = nullptr;
    napi_get_typedarray_info(env, values[at], &type, size, &data, nullptr, nullptr);
    if (type == napi_uint8_array) return data;
    *size = 0;
    return nullptr;
  }
};

inline napi_value nothing(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

inline void set_number(napi_env env, napi_value target, const char *name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, target, name, value);
}
