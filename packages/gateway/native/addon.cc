// TCP sockets for JavaScript without a stream layer: what is ready comes in one call a round of the
// event loop; JavaScript then receives and sends, socket by socket, in memory that it has given.
// Receiving is its own call on purpose: who watches from the kernel sees each request read, then sent on.
//
// Functions of a handle answer a count or an id, or minus an errno; EAGAIN means: not now.
#include "sockets.h"

namespace {

struct Arguments {
  napi_env env;
  napi_value values[4];
  size_t count = 4;
  void *data = nullptr;

  Arguments(napi_env env, napi_callback_info info) : env(env) {
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
  }
  // Undefined after `close`: nothing may be asked of it then.
  Sockets *sockets() const { return *static_cast<Sockets **>(data); }
  int number(size_t at) const {
    int32_t value = -1;
    napi_get_value_int32(env, values[at], &value);
    return value;
  }
  napi_value answer(int value) const {
    napi_value result;
    napi_create_int32(env, value, &result);
    return result;
  }
  Socket *socket() const { return sockets() ? socket_at(sockets(), number(0)) : nullptr; }
};

constexpr size_t kAddressMax = INET6_ADDRSTRLEN + 1;

// listen(ip, port, backlog, 1 if shared) -> id
napi_value listen_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  if (!given.sockets()) return given.answer(-EBADF);
  char ip[kAddressMax] = "";
  napi_get_value_string_utf8(env, given.values[0], ip, sizeof ip, nullptr);
  return given.answer(listen_at(given.sockets(), ip, given.number(1), given.number(2), given.number(3) == 1));
}

// connect(ip, port) -> id. Writable: connected, or failed as `failure` tells.
napi_value connect_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  if (!given.sockets()) return given.answer(-EBADF);
  char ip[kAddressMax] = "";
  napi_get_value_string_utf8(env, given.values[0], ip, sizeof ip, nullptr);
  return given.answer(connect_to(given.sockets(), ip, given.number(1)));
}

// accept(id of a listening socket) -> id, watched for what can be read; ECONNABORTED: one is gone again
napi_value accept_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *listening = given.socket();
  if (!listening) return given.answer(-EBADF);
  return given.answer(accept_one(given.sockets(), listening->fd));
}

// receive(id) -> octets, which are at the start of the input; 0 at the end of the stream
napi_value receive_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *socket = given.socket();
  if (!socket) return given.answer(-EBADF);
  Sockets *sockets = given.sockets();
  ssize_t size;
  do size = recv(socket->fd, sockets->input, sockets->input_size, 0);
  while (size < 0 && errno == EINTR);
  return given.answer(size < 0 ? -errno : static_cast<int>(size));
}

int send_all(int fd, const uint8_t *bytes, size_t size) {
  ssize_t sent;
  do sent = send(fd, bytes, size, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : static_cast<int>(sent);
}

// send(id, text, text size, size) -> octets of the output that were sent, from its start, where `text` is
// put first
napi_value send_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *socket = given.socket();
  if (!socket) return given.answer(-EBADF);
  uint8_t *output = given.sockets()->output;
  size_t text_size = static_cast<size_t>(given.number(2)), size = static_cast<size_t>(given.number(3));
  if (text_size > size || size >= given.sockets()->output_size) return given.answer(-EINVAL);
  if (text_size > 0) {
    // What follows stays: the copy ends with a zero of its own.
    uint8_t next = output[text_size];
    napi_get_value_string_latin1(env, given.values[1], reinterpret_cast<char *>(output),
                                 text_size + 1, nullptr);
    output[text_size] = next;
  }
  return given.answer(send_all(socket->fd, output, size));
}

// sendFrom(id, bytes) -> octets that were sent
napi_value send_from_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *socket = given.socket();
  if (!socket) return given.answer(-EBADF);
  void *bytes;
  size_t size;
  if (napi_get_buffer_info(env, given.values[1], &bytes, &size) != napi_ok)
    return given.answer(-EINVAL);
  return given.answer(send_all(socket->fd, static_cast<uint8_t *>(bytes), size));
}

// watch(id, kinds): what is told of it from now on; 0: nothing
napi_value watch_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *socket = given.socket();
  return given.answer(socket ? watch_socket(socket, given.number(1)) : -EBADF);
}

// failure(id) -> the pending error, as minus an errno; 0 without one
napi_value failure_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *socket = given.socket();
  if (!socket) return given.answer(-EBADF);
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size)) error = errno;
  return given.answer(-error);
}

// shutdown(id): no more is sent
napi_value shutdown_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *socket = given.socket();
  if (!socket) return given.answer(-EBADF);
  return given.answer(shutdown(socket->fd, SHUT_WR) ? -errno : 0);
}

// closeSocket(id)
napi_value close_socket_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  if (Socket *socket = given.socket()) close_socket(socket);
  return given.answer(0);
}

void set_end(napi_env env, napi_value list, uint32_t at, const Address &address) {
  char ip[INET6_ADDRSTRLEN] = "";
  bool is_v6 = address.any.sa_family == AF_INET6;
  if (is_v6)
    inet_ntop(AF_INET6, &address.v6.sin6_addr, ip, sizeof ip);
  else
    inet_ntop(AF_INET, &address.v4.sin_addr, ip, sizeof ip);
  napi_value text, port;
  napi_create_string_utf8(env, ip, NAPI_AUTO_LENGTH, &text);
  napi_create_int32(env, ntohs(is_v6 ? address.v6.sin6_port : address.v4.sin_port), &port);
  napi_set_element(env, list, at, text);
  napi_set_element(env, list, at + 1, port);
}

// ends(id) -> [local address, local port, remote address, remote port]; what is not known is empty
napi_value ends_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Socket *socket = given.socket();
  napi_value list;
  napi_create_array(env, &list);
  Address local = {}, remote = {};
  if (socket) {
    socklen_t size = sizeof local;
    getsockname(socket->fd, &local.any, &size);
    size = sizeof remote;
    getpeername(socket->fd, &remote.any, &size);
  }
  set_end(env, list, 0, local);
  set_end(env, list, 2, remote);
  return list;
}

// close(): all sockets, for good
napi_value close_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  Sockets **place = static_cast<Sockets **>(given.data);
  if (*place) close_sockets(std::exchange(*place, nullptr));
  return given.answer(0);
}

struct Method {
  const char *name;
  napi_callback call;
};
constexpr Method kMethods[] = {
    {"listen", listen_call},     {"connect", connect_call},          {"accept", accept_call},
    {"receive", receive_call},   {"send", send_call},                {"sendFrom", send_from_call},
    {"watch", watch_call},       {"failure", failure_call},          {"shutdown", shutdown_call},
    {"ends", ends_call},         {"closeSocket", close_socket_call}, {"close", close_call},
};

// open(ready, input, output, callback) -> the functions above, of one set of sockets. `ready` are
// pairs of int32 (id, readiness), of which `callback` is given the count.
napi_value open_call(napi_env env, napi_callback_info info) {
  Arguments given(env, info);
  void *memory[3] = {};
  size_t sizes[3] = {};
  for (int i = 0; i < 3; i++)
    if (given.count < 4 || napi_get_arraybuffer_info(env, given.values[i], &memory[i], &sizes[i]))
      return napi_throw_type_error(env, "EINVAL", "three ArrayBuffers and a function"), nullptr;
  if (sizes[0] < kReadyMax * 2 * sizeof(int32_t))
    return napi_throw_range_error(env, "EINVAL", "too little memory for what is ready"), nullptr;
  Sockets *sockets = new Sockets();
  sockets->env = env;
  sockets->spare = open_spare();
  sockets->ready = static_cast<int32_t *>(memory[0]);
  sockets->input = static_cast<uint8_t *>(memory[1]);
  sockets->input_size = sizes[1];
  sockets->output = static_cast<uint8_t *>(memory[2]);
  sockets->output_size = sizes[2];
  for (int i = 0; i < 3; i++)
    napi_create_reference(env, given.values[i], 1, &sockets->memory[i]);
  napi_create_reference(env, given.values[3], 1, &sockets->callback);
  napi_value name;
  napi_create_string_utf8(env, "thalweg_sockets", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &sockets->context);
  napi_get_uv_event_loop(env, &sockets->loop);
  uv_check_init(sockets->loop, &sockets->check);
  sockets->check.data = sockets;
  sockets->open_handles = 1;
  uv_check_start(&sockets->check, on_check);
  // Whoever waits for nothing else may end: sockets keep the loop alive, this does not.
  uv_unref(reinterpret_cast<uv_handle_t *>(&sockets->check));

  // The functions reach the sockets through this place, which `close` empties. It is never freed: a
  // function may be called at any time.
  Sockets **place = new Sockets *(sockets);
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle, void *data) {
        // The end of the last handle removes the hook.
        Sockets **at = static_cast<Sockets **>(data);
        if (*at) close_sockets(std::exchange(*at, nullptr));
      },
      place, &sockets->hook);
  napi_value functions;
  napi_create_object(env, &functions);
  for (const Method &method : kMethods) {
    napi_value function;
    napi_create_function(env, method.name, NAPI_AUTO_LENGTH, method.call, place, &function);
    napi_set_named_property(env, functions, method.name, function);
  }
  return functions;
}

napi_value initialise(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, open_call, nullptr, &function);
  napi_set_named_property(env, exports, "open", function);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, initialise)
