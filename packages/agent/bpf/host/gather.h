/* The bytes that are copied of what a system call moved, whatever the user's pointers say. */
#pragma once

#define NOWHERE ((void *)0x1000)
#define AT(offset) (user + (offset))
#define ALL ((unsigned long)-1)

struct gather_case {
	const char *name;
	int call;
	unsigned long count; /* Segments, as the user says; for a single buffer its length. */
	struct user_iovec segments[6];
	int result;
	int want_from, want_size; /* What is captured: a run of the user memory. */
	enum { VECTOR_THERE, VECTOR_NOWHERE, VECTOR_AT_END } vector;
};

static const struct gather_case gather_cases[] = {
    {"a buffer", SYS_WRITE, 10, {{AT(0), 0}}, 10, 0, 10, 0},
    {"no more than was moved", SYS_READ, 4096, {{AT(0), 0}}, 10, 0, 10, 0},
    {"no more than the buffer, whatever the result", SYS_READ, 8, {{AT(0), 0}}, 9999, 0, 8, 0},
    {"a buffer that is not there", SYS_SENDTO, 10, {{NOWHERE, 0}}, 10, 0, 0, 0},
    {"a buffer at address 0", SYS_RECVFROM, 10, {{0, 0}}, 10, 0, 0, 0},
    {"an endless buffer", SYS_WRITE, ALL, {{AT(0), 0}}, 20, 0, 20, 0},
    {"a buffer that ends past the address space", SYS_WRITE, 10, {{(void *)ALL, 0}}, 10, 0, 0, 0},
    {"at most capture_bytes", SYS_WRITE, 60000, {{AT(0), 0}}, 60000, 0, 512, 0},
    {"two segments", SYS_WRITEV, 2, {{AT(0), 4}, {AT(4), 6}}, 10, 0, 10, 0},
    {"empty segments", SYS_WRITEV, 4, {{AT(0), 0}, {AT(0), 4}, {0, 0}, {AT(4), 6}}, 10, 0, 10, 0},
    {"four segments at most",
     SYS_WRITEV,
     5,
     {{AT(0), 2}, {AT(2), 2}, {AT(4), 2}, {AT(6), 2}, {AT(8), 2}},
     10,
     0,
     8,
     0},
    {"a later segment behind a long one", SYS_WRITEV, 2, {{AT(0), 64}, {AT(64), 8}}, 72, 0, 64, 0},
    {"a later segment behind 63 bytes", SYS_WRITEV, 2, {{AT(0), 63}, {AT(63), 8}}, 71, 0, 71, 0},
    {"a long later segment", SYS_WRITEV, 2, {{AT(0), 63}, {AT(63), 9000}}, 9063, 0, 511, 0},
    {"a segment that is not there", SYS_READV, 2, {{AT(0), 4}, {NOWHERE, 6}}, 10, 0, 4, 0},
    {"an endless segment", SYS_READV, 2, {{AT(0), 4}, {AT(4), ALL}}, 10, 0, 10, 0},
    {"endless segments in number", SYS_READV, ALL, {{AT(0), 4}, {AT(4), 6}}, 10, 0, 10, 0},
    {"a vector that is not there", SYS_WRITEV, 2, {{AT(0), 10}}, 10, 0, 0, VECTOR_NOWHERE},
    {"a vector at the end of the address space", SYS_WRITEV, 9, {}, 10, 0, 0, VECTOR_AT_END},
    {"a message", SYS_SENDMSG, 2, {{AT(0), 4}, {AT(4), 6}}, 10, 0, 10, 0},
    {"a message that is not there", SYS_RECVMSG, 1, {{AT(0), 10}}, 10, 0, 0, VECTOR_NOWHERE},
    {"a file", SYS_SENDFILE, 10, {{AT(0), 0}}, 10, 0, 0, 0},
};

/* Puts the call into the registers, its vector and header into memory that may be read. */
static void call_with(const struct gather_case *one, struct user_msghdr *header)
{
	bool is_message = one->call == SYS_SENDMSG || one->call == SYS_RECVMSG;
	bool is_vector = one->call == SYS_READV || one->call == SYS_WRITEV;
	const void *vector = one->segments;
	host.user[1] = (struct host_memory){one->segments, sizeof(one->segments)};
	host.user[2] = (struct host_memory){header, sizeof(*header)};
	if (one->vector == VECTOR_NOWHERE)
		host.user[1].size = host.user[2].size = 0;
	if (one->vector == VECTOR_AT_END)
		vector = (const void *)(ALL - 7);
	*header = (struct user_msghdr){.iov = (void *)vector, .iov_count = one->count};
	host.regs = (struct pt_regs){.orig_ax = one->call, .dx = is_message ? 0 : one->count};
	host.regs.si = is_message  ? (unsigned long)header
		       : is_vector ? (unsigned long)vector
				   : (unsigned long)one->segments[0].base;
}

static bool is_in(int call)
{
	return call == SYS_READ || call == SYS_READV || call == SYS_RECVFROM || call == SYS_RECVMSG;
}

static void test_gather(void)
{
	for (unsigned int i = 0; i < sizeof(gather_cases) / sizeof(*gather_cases); i++) {
		const struct gather_case *one = &gather_cases[i];
		struct user_msghdr header;
		scene_reset();
		call_with(one, &header);
		play_transfer(0, is_in(one->call) ? DIRECTION_IN : DIRECTION_OUT, one->result);
		struct event *event = last_event();
		char text[64] = "no event";
		if (event)
			snprintf(text, sizeof(text), "captured %d of %u", event->captured,
				 event->length);
		bool is_ok =
		    event && event->captured == one->want_size &&
		    event->length == (__u32)one->result &&
		    memcmp(event + 1, user + one->want_from, one->want_size) == 0;
		report("gather", one->name, is_ok, text);
	}
}

static __u64 random_state = 0x9e3779b97f4a7c15;

static __u32 random_below(__u32 limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % limit;
}

/* Law: what is captured is the beginning of what the segments hold, within every bound. */
static void test_gather_law(void)
{
	unsigned int broken = 0;
	for (int round = 0; round < 20000; round++) {
		struct gather_case one = {.call = SYS_WRITEV, .count = random_below(7)};
		struct user_msghdr header;
		scene_reset();
		config.capture_bytes = random_below(4) ? random_below(1400) : ALL;
		for (int i = 0; i < 6; i++) {
			unsigned int kind = random_below(8);
			one.segments[i].base = kind == 0 ? NOWHERE : AT(random_below(USER_SIZE));
			one.segments[i].len = kind == 1	  ? ALL
					      : kind == 2 ? random_below(USER_SIZE)
							  : random_below(90);
		}
		one.result = 1 + random_below(random_below(2) ? 200 : 1 << 30);
		call_with(&one, &header);
		play_transfer(0, DIRECTION_OUT, one.result);
		struct event *event = last_event();
		unsigned int at = 0;
		const char *bytes = (const char *)(event + 1);
		bool is_ok = event->captured <= (__u32)one.result &&
			     event->captured <= config.capture_bytes &&
			     sizeof(*event) + event->captured <= host.record_sizes[0];
		for (unsigned int i = 0; i < one.count && is_ok; i++)
			for (unsigned long k = 0; k < one.segments[i].len && at < event->captured;
			     k++)
				if (bytes[at++] != ((char *)one.segments[i].base)[k])
					is_ok = false;
		if (!is_ok || at < event->captured)
			broken++;
	}
	report_number("gather", "a prefix of the segments, whatever they are", broken, 0);
}
