// Attaching to system call tracepoints where tracefs is not mounted.
#pragma once

#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include <thread>

/*
 * System call tracepoints are named in tracefs, which need not be mounted. A thread with mounts of its
 * own mounts it for as long as it lives: nothing of that is seen outside. Needs CAP_SYS_ADMIN.
 */
inline bpf_link *attach_with_own_tracefs(bpf_program *program) {
  bpf_link *link = nullptr;
  int error = ENOENT;
  std::thread([&] {
    if (unshare(CLONE_NEWNS) || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) ||
        mount("thalweg", "/sys/kernel/tracing", "tracefs", 0, nullptr)) {
      error = errno;
      return;
    }
    link = bpf_program__attach(program);
    error = errno;
  }).join();
  errno = error;
  return link;
}
