// Network interfaces of any network namespace: their list, and programs at their traffic (tcx).
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "call.h"

/*
 * Does `work` on a thread that has joined the namespace at `path`: the caller's thread stays where it
 * is. Answers what `work` does, or a negative errno. Joining needs CAP_SYS_ADMIN.
 */
template <typename Work>
int inside_namespace(const std::string &path, Work work) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int result = 0;
  std::thread([&] { result = setns(fd, CLONE_NEWNET) ? -errno : work(); }).join();
  close(fd);
  return result;
}

/*
 * BPF_LINK_CREATE for tcx, which libbpf 1.1 does not know. Source: include/uapi/linux/bpf.h of Linux
 * 6.6. First in line: programs of others that end the packet's way do not hide it.
 */
inline int attach_in_namespace(const std::string &path, int program, uint32_t ifindex,
                               bool is_ingress) {
  constexpr uint32_t kTcxIngress = 46, kTcxEgress = 47, kBefore = 1 << 3;
  struct {
    uint32_t program, ifindex, type, flags;
    uint64_t relative, revision;
  } attributes = {};
  attributes.program = static_cast<uint32_t>(program);
  attributes.ifindex = ifindex;
  attributes.type = is_ingress ? kTcxIngress : kTcxEgress;
  attributes.flags = kBefore;
  return inside_namespace(path, [&] {
    long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes);
    return fd < 0 ? -errno : static_cast<int>(fd);
  });
}

struct Interface {
  std::string name;
  unsigned flags = 0;
  std::vector<std::string> addresses;
};

inline void note_address(Interface &interface, const sockaddr *address) {
  char text[INET6_ADDRSTRLEN];
  const void *bytes = address->sa_family == AF_INET
                          ? static_cast<const void *>(
                                &reinterpret_cast<const sockaddr_in *>(address)->sin_addr)
                          : &reinterpret_cast<const sockaddr_in6 *>(address)->sin6_addr;
  if (inet_ntop(address->sa_family, bytes, text, sizeof text)) interface.addresses.push_back(text);
}

// Interfaces of the namespace that the calling thread is in, by index.
inline int list_interfaces(std::map<int, Interface> &found) {
  ifaddrs *list = nullptr;
  if (getifaddrs(&list)) return -errno;
  std::map<std::string, int> index_of;
  for (ifaddrs *at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr || at->ifa_addr->sa_family != AF_PACKET) continue;
    int index = reinterpret_cast<sockaddr_ll *>(at->ifa_addr)->sll_ifindex;
    index_of[at->ifa_name] = index;
    found[index].name = at->ifa_name;
    found[index].flags = at->ifa_flags;
  }
  for (ifaddrs *at = list; at; at = at->ifa_next) {
    if (!at->ifa_addr) continue;
    int family = at->ifa_addr->sa_family;
    auto index = index_of.find(at->ifa_name);
    if (index == index_of.end() || (family != AF_INET && family != AF_INET6)) continue;
    note_address(found[index->second], at->ifa_addr);
  }
  freeifaddrs(list);
  return 0;
}

// interfaces(namespace) -> [{ index, name, isLoopback, isUp, addresses }]
inline napi_value interfaces(napi_env env, napi_callback_info info) {
  Call call(env, info);
  std::map<int, Interface> found;
  int error = inside_namespace(call.text(0), [&] { return list_interfaces(found); });
  if (error) return fail(env, error, "interfaces of " + call.text(0));
  napi_value list, value;
  napi_create_array(env, &list);
  uint32_t at = 0;
  for (const auto &[index, interface] : found) {
    napi_value entry, addresses;
    napi_create_object(env, &entry);
    set_number(env, entry, "index", index);
    napi_create_string_utf8(env, interface.name.c_str(), NAPI_AUTO_LENGTH, &value);
    napi_set_named_property(env, entry, "name", value);
    napi_get_boolean(env, (interface.flags & IFF_LOOPBACK) != 0, &value);
    napi_set_named_property(env, entry, "isLoopback", value);
    napi_get_boolean(env, (interface.flags & IFF_UP) != 0, &value);
    napi_set_named_property(env, entry, "isUp", value);
    napi_create_array(env, &addresses);
    uint32_t place = 0;
    for (const std::string &address : interface.addresses) {
      napi_create_string_utf8(env, address.c_str(), NAPI_AUTO_LENGTH, &value);
      napi_set_element(env, addresses, place++, value);
    }
    napi_set_named_property(env, entry, "addresses", addresses);
    napi_set_element(env, list, at++, entry);
  }
  return list;
}
