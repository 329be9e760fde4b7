// The kernel's clocks: the day's, and what the calling thread has run.
#pragma once

#include <node_api.h>
#include <time.h>

inline double nanoseconds_of(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

// wallClockOffset(): nanoseconds that lead from CLOCK_MONOTONIC to CLOCK_REALTIME. A thread may be
// put off between two readings: of several the one that took least counts.
inline napi_value wall_clock_offset(napi_env env, napi_callback_info) {
  constexpr int kReadings = 8;
  double least = 0, offset = 0;
  for (int i = 0; i < kReadings; i++) {
    double before = nanoseconds_of(CLOCK_MONOTONIC);
    double wall = nanoseconds_of(CLOCK_REALTIME);
    double after = nanoseconds_of(CLOCK_MONOTONIC);
    if (i > 0 && after - before >= least) continue;
    least = after - before;
    offset = wall - before - least / 2;
  }
  napi_value result;
  napi_create_double(env, offset, &result);
  return result;
}

// threadCpuSeconds(): CPU that the calling thread has used.
inline napi_value thread_cpu_seconds(napi_env env, napi_callback_info) {
  napi_value result;
  napi_create_double(env, nanoseconds_of(CLOCK_THREAD_CPUTIME_ID) / 1e9, &result);
  return result;
}
