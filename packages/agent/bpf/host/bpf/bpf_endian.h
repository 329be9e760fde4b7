#pragma once

#define bpf_ntohs(value) __builtin_bswap16(value)
