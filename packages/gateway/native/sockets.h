// Non-blocking TCP sockets on Node's own event loop: one uv_poll a socket, whose readiness is kept
// until the loop's poll phase is over. No policy, no buffer of its own.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <node_api.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <utility>
#include <vector>

// What a socket is watched for, and what is told of it.
constexpr int kReadable = 1;
constexpr int kWritable = 2;
constexpr int kFailed = 4;

struct Sockets;

struct Socket {
  uv_poll_t poll;
  Sockets *sockets;
  int fd;
  int id;
  int watched;
};

// Pairs of (socket, readiness) handed over at once. libuv takes 1,024 events from the kernel at most
// in one round, of which each makes one pair.
constexpr int kReadyMax = 1024;

struct Sockets {
  napi_env env = nullptr;
  uv_loop_t *loop = nullptr;
  uv_check_t check;
  napi_ref callback = nullptr;
  napi_async_context context = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
  std::vector<Socket *> table;
  // An id is given again only after the round in which it was closed: what was told of it is stale.
  std::vector<int> free_ids;
  std::vector<int> closed_ids;
  // Memory of JavaScript: held by the references.
  napi_ref memory[3] = {};
  int32_t *ready = nullptr;
  uint8_t *input = nullptr;
  size_t input_size = 0;
  uint8_t *output = nullptr;
  size_t output_size = 0;
  int ready_count = 0;
  // A descriptor to give up for a moment when there is none left: see `accept_one`.
  int spare = -1;
  // Handles of libuv that are not closed yet.
  int open_handles = 0;
  bool is_closed = false;
};

// Tells JavaScript what is ready: one call, after which microtasks have run.
inline void deliver(Sockets *sockets) {
  int count = std::exchange(sockets->ready_count, 0);
  if (count == 0 || !sockets->callback) return;
  napi_env env = sockets->env;
  napi_handle_scope scope;
  napi_open_handle_scope(env, &scope);
  napi_value callback, global, argument;
  napi_get_reference_value(env, sockets->callback, &callback);
  napi_get_global(env, &global);
  napi_create_int32(env, count, &argument);
  napi_status status =
      napi_make_callback(env, sockets->context, global, callback, 1, &argument, nullptr);
  if (status == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

inline void on_check(uv_check_t *check) {
  Sockets *sockets = static_cast<Sockets *>(check->data);
  deliver(sockets);
  if (sockets->closed_ids.empty()) return;
  sockets->free_ids.insert(sockets->free_ids.end(), sockets->closed_ids.begin(),
                           sockets->closed_ids.end());
  sockets->closed_ids.clear();
}

inline void on_ready(uv_poll_t *poll, int status, int events) {
  Socket *socket = static_cast<Socket *>(poll->data);
  Sockets *sockets = socket->sockets;
  int kinds = 0;
  if (events & UV_READABLE) kinds |= kReadable;
  if (events & UV_WRITABLE) kinds |= kWritable;
  // libuv has stopped to watch it. What came before the error can still be read.
  if (status < 0) {
    kinds = kReadable | kFailed;
    socket->watched = 0;
  }
  if (sockets->ready_count == kReadyMax) deliver(sockets);
  // A delivery may have closed the socket, or all of them.
  if (sockets->is_closed || uv_is_closing(reinterpret_cast<uv_handle_t *>(poll))) return;
  int32_t *pair = sockets->ready + 2 * sockets->ready_count++;
  pair[0] = socket->id;
  pair[1] = kinds;
}

// Frees `sockets` once libuv has let go of the last handle and JavaScript of it.
inline void handle_closed(Sockets *sockets) {
  if (--sockets->open_handles > 0 || !sockets->is_closed) return;
  if (sockets->hook) napi_remove_async_cleanup_hook(sockets->hook);
  delete sockets;
}

inline Socket *socket_at(const Sockets *sockets, int id) {
  if (id < 0 || static_cast<size_t>(id) >= sockets->table.size()) return nullptr;
  return sockets->table[id];
}

inline int watch_socket(Socket *socket, int kinds) {
  if (socket->watched == kinds) return 0;
  socket->watched = kinds;
  int events = (kinds & kReadable ? UV_READABLE : 0) | (kinds & kWritable ? UV_WRITABLE : 0);
  return events == 0 ? uv_poll_stop(&socket->poll) : uv_poll_start(&socket->poll, events, on_ready);
}

// Takes `fd` over: its id, or an error below 0 after which it is closed.
inline int adopt(Sockets *sockets, int fd, int watched) {
  Socket *socket = new Socket();
  int error = uv_poll_init(sockets->loop, &socket->poll, fd);
  if (error) {
    close(fd);
    delete socket;
    return error;
  }
  sockets->open_handles++;
  socket->poll.data = socket;
  socket->sockets = sockets;
  socket->fd = fd;
  if (sockets->free_ids.empty()) {
    socket->id = static_cast<int>(sockets->table.size());
    sockets->table.push_back(socket);
  } else {
    socket->id = sockets->free_ids.back();
    sockets->free_ids.pop_back();
    sockets->table[socket->id] = socket;
  }
  watch_socket(socket, watched);
  return socket->id;
}

inline void close_socket(Socket *socket) {
  Sockets *sockets = socket->sockets;
  sockets->table[socket->id] = nullptr;
  sockets->closed_ids.push_back(socket->id);
  int fd = socket->fd;
  uv_close(reinterpret_cast<uv_handle_t *>(&socket->poll), [](uv_handle_t *handle) {
    Socket *closed = static_cast<Socket *>(handle->data);
    handle_closed(closed->sockets);
    delete closed;
  });
  // libuv has forgotten the descriptor by now.
  close(fd);
}

inline void close_sockets(Sockets *sockets) {
  if (sockets->is_closed) return;
  sockets->is_closed = true;
  for (Socket *socket : sockets->table)
    if (socket) close_socket(socket);
  if (sockets->spare >= 0) close(sockets->spare);
  napi_env env = sockets->env;
  napi_delete_reference(env, std::exchange(sockets->callback, nullptr));
  for (napi_ref &reference : sockets->memory) napi_delete_reference(env, reference);
  napi_async_destroy(env, sockets->context);
  uv_close(reinterpret_cast<uv_handle_t *>(&sockets->check),
           [](uv_handle_t *handle) { handle_closed(static_cast<Sockets *>(handle->data)); });
}

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// The address of `ip` and `port`; 0 where `ip` is none.
inline socklen_t address_of(const char *ip, int port, Address *address) {
  *address = {};
  if (inet_pton(AF_INET, ip, &address->v4.sin_addr) == 1) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(static_cast<uint16_t>(port));
    return sizeof address->v4;
  }
  if (inet_pton(AF_INET6, ip, &address->v6.sin6_addr) == 1) {
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(static_cast<uint16_t>(port));
    return sizeof address->v6;
  }
  return 0;
}

inline void send_at_once(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// A listening socket's id, or an error below 0.
// `is_shared`: other processes may listen there too, each with a queue of its own.
inline int listen_at(Sockets *sockets, const char *ip, int port, int backlog, bool is_shared) {
  Address address;
  socklen_t size = address_of(ip, port, &address);
  if (size == 0) return -EINVAL;
  int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (is_shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bind(fd, &address.any, size) || listen(fd, backlog)) {
    int error = -errno;
    close(fd);
    return error;
  }
  return adopt(sockets, fd, kReadable);
}

inline int open_spare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

// An accepted socket's id, or an error below 0. Without descriptors the client is told so by the end of
// its connection rather than left waiting: the spare one serves to take it and let it go, as in libuv.
inline int accept_one(Sockets *sockets, int listening) {
  int fd = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    send_at_once(fd);
    return adopt(sockets, fd, kReadable);
  }
  if ((errno != EMFILE && errno != ENFILE) || sockets->spare < 0) return -errno;
  close(sockets->spare);
  fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  int error = fd < 0 ? -errno : -ECONNABORTED;
  if (fd >= 0) close(fd);
  sockets->spare = open_spare();
  return error;
}

// A connecting socket's id, which tells when it is writable; or an error below 0.
inline int connect_to(Sockets *sockets, const char *ip, int port) {
  Address address;
  socklen_t size = address_of(ip, port, &address);
  if (size == 0) return -EINVAL;
  int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  send_at_once(fd);
  if (connect(fd, &address.any, size) && errno != EINPROGRESS) {
    int error = -errno;
    close(fd);
    return error;
  }
  return adopt(sockets, fd, kWritable);
}
