// libbpf for JavaScript, without any policy: open, load, attach, maps, the ring in place.
//
// Each object is a handle. Memory shown to JavaScript (globals, ring) is mapped kernel memory; its
// ArrayBuffers are detached before it is unmapped, so a view that outlives `close` is empty, never
// dangling. Errors are thrown as { message, code, errno, log }, the log being libbpf's own words.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <node_api.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "call.h"
#include "clocks.h"
#include "interfaces.h"
#include "own-tracefs.h"

namespace {

constexpr size_t kLogMax = 256 * 1024;

int keep_log(enum libbpf_print_level level, const char *format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  char line[4096];
  int size = vsnprintf(line, sizeof line, format, arguments);
  if (size > 0 && libbpf_log.size() < kLogMax) libbpf_log.append(line, strnlen(line, sizeof line));
  return size;
}

void close_object(napi_env env, Object *object) {
  for (bpf_link *link : object->links) bpf_link__destroy(link);
  object->links.clear();
  for (int fd : object->link_fds)
    if (fd >= 0) close(fd);
  object->link_fds.clear();
  for (Mapping &mapping : object->mappings) {
    napi_value buffer = nullptr;
    if (env) {
      napi_get_reference_value(env, mapping.buffer, &buffer);
      if (buffer) napi_detach_arraybuffer(env, buffer);
      napi_delete_reference(env, mapping.buffer);
    }
    munmap(mapping.address, mapping.size);
  }
  object->mappings.clear();
  object->consumer = nullptr;
  if (object->statistics >= 0) close(object->statistics);
  object->statistics = -1;
  if (object->bpf) bpf_object__close(object->bpf);
  object->bpf = nullptr;
}

// Shows `size` bytes at `offset` of a mapping as an ArrayBuffer that lives as long as the object.
napi_value show(napi_env env, Object *object, void *address, size_t mapped, size_t offset,
                size_t size) {
  napi_value buffer;
  napi_status status =
      napi_create_external_arraybuffer(env, static_cast<char *>(address) + offset, size,
                                       [](napi_env, void *, void *) {}, nullptr, &buffer);
  if (status != napi_ok) {
    munmap(address, mapped);
    return fail(env, ENOTSUP, "show kernel memory to JavaScript");
  }
  Mapping mapping = {address, mapped, nullptr};
  napi_create_reference(env, buffer, 1, &mapping.buffer);
  object->mappings.push_back(mapping);
  return buffer;
}

// open(path) -> handle
napi_value open_object(napi_env env, napi_callback_info info) {
  Call call(env, info);
  libbpf_log.clear();
  bpf_object *bpf = bpf_object__open_file(call.text(0).c_str(), nullptr);
  if (!bpf) return fail(env, errno, "open " + call.text(0));
  Object *object = new Object;
  object->bpf = bpf;
  napi_value handle;
  napi_create_external(
      env, object,
      [](napi_env env, void *data, void *) {
        close_object(env, static_cast<Object *>(data));
        delete static_cast<Object *>(data);
      },
      nullptr, &handle);
  return handle;
}

// setMaxEntries(handle, map, entries)
napi_value set_max_entries(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  bpf_map *map = bpf_object__find_map_by_name(object->bpf, call.text(1).c_str());
  if (!map) return fail(env, ENOENT, "map " + call.text(1));
  int error = bpf_map__set_max_entries(map, static_cast<uint32_t>(call.number(2)));
  return error ? fail(env, error, "size of map " + call.text(1)) : nothing(env);
}

// The verifier gives up with EAGAIN when a signal is pending, which a profiler's always are.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// load(handle)
napi_value load(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  libbpf_log.clear();
  WithoutSignals held;
  int error = bpf_object__load(object->bpf);
  return error ? fail(env, error, "load") : nothing(env);
}

// attach(handle, program)
napi_value attach(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  bpf_program *program = bpf_object__find_program_by_name(object->bpf, call.text(1).c_str());
  if (!program) return fail(env, ENOENT, "program " + call.text(1));
  bpf_link *link = bpf_program__attach(program);
  if (!link && errno == ENOENT && bpf_program__type(program) == BPF_PROG_TYPE_TRACEPOINT)
    link = attach_with_own_tracefs(program);
  if (!link) return fail(env, errno, "attach " + call.text(1));
  object->links.push_back(link);
  return nothing(env);
}

// programs(handle) -> [{ name, instructions, verified, runs, runNs }], after load. `verified` are
// the instructions that the verifier went through; runs are counted while `measure` is on.
napi_value programs(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  napi_value list;
  napi_create_array(env, &list);
  uint32_t at = 0;
  bpf_program *program;
  bpf_object__for_each_program(program, object->bpf) {
    bpf_prog_info facts = {};
    uint32_t size = sizeof facts;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &facts, &size))
      return fail(env, errno, std::string("facts of program ") + bpf_program__name(program));
    napi_value entry, name;
    napi_create_object(env, &entry);
    napi_create_string_utf8(env, bpf_program__name(program), NAPI_AUTO_LENGTH, &name);
    napi_set_named_property(env, entry, "name", name);
    set_number(env, entry, "instructions", bpf_program__insn_cnt(program));
    set_number(env, entry, "verified", facts.verified_insns);
    set_number(env, entry, "runs", static_cast<double>(facts.run_cnt));
    set_number(env, entry, "runNs", static_cast<double>(facts.run_time_ns));
    napi_set_element(env, list, at++, entry);
  }
  return list;
}

// measure(handle): the kernel times each run of every program of the host until `close`.
napi_value measure(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  if (object->statistics >= 0) return nothing(env);
  object->statistics = bpf_enable_stats(BPF_STATS_RUN_TIME);
  return object->statistics < 0 ? fail(env, errno, "time programs") : nothing(env);
}

// attachInterface(handle, program, namespace, ifindex, isIngress) -> number for detachInterface
napi_value attach_interface(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  bpf_program *program = bpf_object__find_program_by_name(object->bpf, call.text(1).c_str());
  if (!program) return fail(env, ENOENT, "program " + call.text(1));
  int link = attach_in_namespace(call.text(2), bpf_program__fd(program),
                                 static_cast<uint32_t>(call.number(3)), call.flag(4));
  if (link < 0) return fail(env, link, "attach " + call.text(1) + " to an interface");
  object->link_fds.push_back(link);
  napi_value at;
  napi_create_uint32(env, object->link_fds.size() - 1, &at);
  return at;
}

// detachInterface(handle, number)
napi_value detach_interface(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  size_t at = static_cast<size_t>(call.number(1));
  if (at >= object->link_fds.size() || object->link_fds[at] < 0) return nothing(env);
  close(object->link_fds[at]);
  object->link_fds[at] = -1;
  return nothing(env);
}

// lookUpMap(handle, map, key, value): fills `value`; false when the key is not there
napi_value look_up_map(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  bpf_map *map = bpf_object__find_map_by_name(object->bpf, call.text(1).c_str());
  size_t key_size, value_size;
  void *key = call.bytes(2, &key_size), *value = call.bytes(3, &value_size);
  if (!map) return fail(env, ENOENT, "map " + call.text(1));
  if (key_size != bpf_map__key_size(map) || value_size != bpf_map__value_size(map))
    return fail(env, EINVAL, "size of key or value of map " + call.text(1));
  int error = bpf_map_lookup_elem(bpf_map__fd(map), key, value);
  if (error && errno != ENOENT) return fail(env, errno, "look up map " + call.text(1));
  napi_value found;
  napi_get_boolean(env, !error, &found);
  return found;
}

// updateMap(handle, map, key, value)
napi_value update_map(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  bpf_map *map = bpf_object__find_map_by_name(object->bpf, call.text(1).c_str());
  size_t key_size, value_size;
  void *key = call.bytes(2, &key_size), *value = call.bytes(3, &value_size);
  if (!map) return fail(env, ENOENT, "map " + call.text(1));
  if (key_size != bpf_map__key_size(map) || value_size != bpf_map__value_size(map))
    return fail(env, EINVAL, "size of key or value of map " + call.text(1));
  int error = bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);
  return error ? fail(env, errno, "update map " + call.text(1)) : nothing(env);
}

// deleteFromMap(handle, map, key); a key that is not there is no error
napi_value delete_from_map(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  bpf_map *map = bpf_object__find_map_by_name(object->bpf, call.text(1).c_str());
  size_t key_size;
  void *key = call.bytes(2, &key_size);
  if (!map) return fail(env, ENOENT, "map " + call.text(1));
  if (key_size != bpf_map__key_size(map)) return fail(env, EINVAL, "size of key");
  int error = bpf_map_delete_elem(bpf_map__fd(map), key);
  return error && errno != ENOENT ? fail(env, errno, "delete from map") : nothing(env);
}

// global(handle, section) -> ArrayBuffer over the live variables of ".data" or ".bss".
// libbpf's own view of them is a private copy unless a skeleton is used, hence the mapping.
napi_value global(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  std::string section = call.text(1);
  bpf_map *map;
  bpf_object__for_each_map(map, object->bpf) {
    std::string name = bpf_map__name(map);
    if (name.size() < section.size() || name.substr(name.size() - section.size()) != section)
      continue;
    size_t size = bpf_map__value_size(map), page = sysconf(_SC_PAGESIZE);
    size_t mapped = (size + page - 1) & ~(page - 1);
    void *address =
        mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (address == MAP_FAILED) return fail(env, errno, "map " + section);
    return show(env, object, address, mapped, 0, size);
  }
  return fail(env, ENOENT, "section " + section);
}

// ring(handle, map) -> { data, size, producer, consumer }: records in place. Behind the `size` bytes
// of data its first page is mapped again, so that a record, which is shorter, does not wrap. (The
// kernel offers all of it twice, but counts each mapped page as resident.) One ring an object.
napi_value ring(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  bpf_map *map = bpf_object__find_map_by_name(object->bpf, call.text(1).c_str());
  if (!map) return fail(env, ENOENT, "map " + call.text(1));
  size_t size = bpf_map__max_entries(map), page = sysconf(_SC_PAGESIZE);
  int fd = bpf_map__fd(map);
  void *consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (consumer == MAP_FAILED) return fail(env, errno, "map the ring's consumer page");
  void *data = mmap(nullptr, page + size + page, PROT_READ, MAP_SHARED, fd, page);
  if (data == MAP_FAILED) {
    munmap(consumer, page);
    return fail(env, errno, "map the ring's data");
  }
  napi_value result, value;
  napi_create_object(env, &result);
  value = show(env, object, consumer, page, 0, sizeof(uint64_t));
  if (!value) return nullptr;
  napi_set_named_property(env, result, "consumer", value);
  object->consumer = static_cast<unsigned long *>(consumer);
  // A mapping of its own for the producer: each ArrayBuffer owns what it shows.
  void *again = mmap(nullptr, page, PROT_READ, MAP_SHARED, fd, page);
  if (again == MAP_FAILED) return fail(env, errno, "map the ring's producer page");
  value = show(env, object, again, page, 0, sizeof(uint64_t));
  if (!value) return nullptr;
  napi_set_named_property(env, result, "producer", value);
  value = show(env, object, data, page + size + page, page, size + page);
  if (!value) return nullptr;
  napi_set_named_property(env, result, "data", value);
  set_number(env, result, "size", static_cast<double>(size));
  return result;
}

// commit(handle, bytes): gives that many bytes of the ring back to the kernel.
napi_value commit(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Object *object = call.object();
  if (!object) return nullptr;
  if (!object->consumer) return fail(env, EINVAL, "no ring is mapped");
  unsigned long position = *object->consumer + static_cast<unsigned long>(call.number(1));
  __atomic_store_n(object->consumer, position, __ATOMIC_RELEASE);
  return nothing(env);
}

// close(handle): detaches, unmaps, frees. Idempotent.
napi_value close_handle(napi_env env, napi_callback_info info) {
  Call call(env, info);
  void *pointer = nullptr;
  if (call.count > 0 && napi_get_value_external(env, call.values[0], &pointer) == napi_ok)
    close_object(env, static_cast<Object *>(pointer));
  return nothing(env);
}

// setIdle(thread, isIdle): whether a thread runs only when nothing else wants the CPU.
napi_value set_idle(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const sched_param parameters = {};
  const auto thread = static_cast<pid_t>(call.number(0));
  if (sched_setscheduler(thread, call.flag(1) ? SCHED_IDLE : SCHED_OTHER, &parameters))
    return fail(env, errno, "set a thread's scheduling policy");
  return nothing(env);
}

napi_value init(napi_env env, napi_value exports) {
  libbpf_set_print(keep_log);
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"open", open_object},     {"setMaxEntries", set_max_entries},
      {"load", load},            {"attach", attach},
      {"programs", programs},    {"measure", measure},
      {"updateMap", update_map}, {"deleteFromMap", delete_from_map},
      {"global", global},        {"ring", ring},
      {"commit", commit},        {"close", close_handle}, {"setIdle", set_idle},
      {"wallClockOffset", wall_clock_offset}, {"threadCpuSeconds", thread_cpu_seconds},
      {"interfaces", interfaces},
      {"lookUpMap", look_up_map},
      {"attachInterface", attach_interface},
      {"detachInterface", detach_interface},
  };
  for (const auto &[name, function] : functions) {
    napi_value value;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
    napi_set_named_property(env, exports, name, value);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
