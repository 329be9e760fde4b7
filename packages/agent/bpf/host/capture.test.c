/*
 * The kernel programs on the host compiler, with sanitizers: gathering, causes, verdicts, pauses,
 * losses, socket state. Built twice: as rung A, and with -DRUNG_B as rung B. With an argument it
 * commits the named crime instead, to show that the sanitizers are awake.
 */
#ifdef RUNG_B
#include "../capture-sysexit.bpf.c"
#else
#include "../capture.bpf.c"
#endif
#include "scene.h"
#include "gather.h"
#include "causes-cases.h"
#include "unix-cases.h"

static void test_verdicts(void)
{
	static const struct {
		const char *name;
		int local, remote; /* Verdict of the port; 0: not in the map. */
		bool has_wanted_ports, has_wanted_netns, is_netns_wanted, is_process_excluded;
		bool want;
	} cases[] = {
	    {"no filter", 0, 0, false, false, false, false, true},
	    {"local port wanted", PORT_WANTED, 0, true, false, false, false, true},
	    {"remote port wanted", 0, PORT_WANTED, true, false, false, false, true},
	    {"neither port wanted", 0, 0, true, false, false, false, false},
	    {"local port excluded", PORT_EXCLUDED, 0, false, false, false, false, false},
	    {"remote port excluded", 0, PORT_EXCLUDED, false, false, false, false, false},
	    {"one wanted, one excluded", PORT_WANTED, PORT_EXCLUDED, true, false, false, false, false},
	    {"namespace wanted", 0, 0, false, true, true, false, true},
	    {"another namespace wanted", 0, 0, false, true, false, false, false},
	    {"process excluded", PORT_WANTED, 0, true, false, false, true, false},
	};
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		__u16 local = 1000, remote = 2000;
		__u8 local_verdict = cases[i].local, remote_verdict = cases[i].remote, yes = 1;
		__u32 netns = NETNS, process = 77;
		scene_reset();
		if (local_verdict)
			bpf_map_update_elem(&ports, &local, &local_verdict, BPF_ANY);
		if (remote_verdict)
			bpf_map_update_elem(&ports, &remote, &remote_verdict, BPF_ANY);
		if (cases[i].is_netns_wanted)
			bpf_map_update_elem(&namespaces, &netns, &yes, BPF_ANY);
		if (cases[i].is_process_excluded)
			bpf_map_update_elem(&processes, &process, &yes, BPF_ANY);
		config.has_wanted_ports = cases[i].has_wanted_ports;
		config.has_wanted_netns = cases[i].has_wanted_netns;
		play_message(0, DIRECTION_OUT);
		report_number("verdict", cases[i].name, host.record_count, cases[i].want);
	}
}

static void test_generation(void)
{
	__u16 port = 1000;
	__u8 excluded = PORT_EXCLUDED;
	scene_reset();
	play_message(0, DIRECTION_OUT);
	bpf_map_update_elem(&ports, &port, &excluded, BPF_ANY);
	play_message(0, DIRECTION_OUT);
	report_number("verdict", "is kept while the generation is", host.record_count, 2);
	config.generation++;
	play_message(0, DIRECTION_OUT);
	report_number("verdict", "is made anew with the generation", host.record_count, 2);
	report_number("verdict", "unwanted transfers are counted", counted(FILTERED), 1);
}

static void test_pause(void)
{
	scene_reset();
	config.pause_bytes = 1 << 20;
	host.queued = (1 << 20) - 1;
	play_message(0, DIRECTION_OUT);
	report_number("pause", "never wakes the reader", host.submit_flags, BPF_RB_NO_WAKEUP);
	report_number("pause", "not below the mark", config.is_paused, 0);
	host.queued++;
	play_message(0, DIRECTION_OUT);
	report_number("pause", "at the mark", config.is_paused, 1);
	play_message(0, DIRECTION_OUT);
	report_number("pause", "then nothing is told", host.record_count, 2);
	report_number("pause", "but counted", counted(SHED), 1);
}

static void test_loss(void)
{
	scene_reset();
	host.is_ring_full = true;
	play_message(0, DIRECTION_OUT);
	play_message(0, DIRECTION_OUT);
	report_number("loss", "is counted", counted(LOST), 2);
	host.is_ring_full = false;
	play_message(1, DIRECTION_OUT);
	report_number("loss", "is not told at another socket", last_event()->lost_before, 0);
	play_message(0, DIRECTION_OUT);
	report_number("loss", "is told at the next event of its socket", last_event()->lost_before, 2);
	play_message(0, DIRECTION_OUT);
	report_number("loss", "is told once", last_event()->lost_before, 0);
}

static void test_sizes(void)
{
	static const struct {
		const char *name;
		int call, length;
		unsigned long payload;
	} cases[] = {
	    {"a short message", SYS_WRITE, 128, 128},
	    {"a head", SYS_WRITE, 129, 256},
	    {"a long head", SYS_WRITE, 257, 512},
	    {"a large message", SYS_WRITE, 9000, 512},
	    {"what shows no bytes", SYS_SENDFILE, 9000, 0},
	};
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		scene_reset();
		host.regs = (struct pt_regs){
		    .orig_ax = cases[i].call, .si = (unsigned long)user, .dx = cases[i].length};
		play_transfer(0, DIRECTION_OUT, cases[i].length);
		report_number("size", cases[i].name, host.record_sizes[0] - sizeof(struct event),
			      cases[i].payload);
	}
	report("size", "it names the thread", strcmp(last_event()->comm, "host") == 0,
	       last_event()->comm);
	report_number("size", "and its process", last_event()->pid, 77);
}

static void test_budget(void)
{
	unsigned int captured = 0;
	scene_reset();
	for (int i = 0; i < 30; i++) {
		host.regs = (struct pt_regs){
		    .orig_ax = SYS_WRITE, .si = (unsigned long)user, .dx = 600};
		play_transfer(0, DIRECTION_OUT, 600);
		captured += last_event()->captured;
	}
	report("budget", "a turn is copied up to turn_bytes", captured > 6000 && captured <= 8192, "");
	report_number("budget", "what is past it is counted", last_event()->length, 600);
	play_message(0, DIRECTION_IN);
	play_message(0, DIRECTION_OUT);
	report_number("budget", "the next turn begins anew", last_event()->captured, 10);
}

static void test_life(void)
{
	scene_reset();
	play_state(0, TCP_ESTABLISHED, TCP_CLOSE);
	report_number("life", "a socket that never spoke ends in silence", host.record_count, 0);
	scene_reset();
	play_message(0, DIRECTION_OUT);
	__u64 cookie = last_event()->cookie;
	report("life", "a name fits a turn id in a double", cookie > 0 && cookie < 1ull << 33, "");
	host.regs = (struct pt_regs){.orig_ax = SYS_READ};
	play_transfer(0, DIRECTION_IN, 0);
	report_number("life", "a read of no bytes is no end", host.record_count, 1);
	socket_at(0)->sk_shutdown = RCV_SHUTDOWN;
	play_transfer(0, DIRECTION_IN, 0);
	report_number("life", "a FIN that is read is the end", last_event()->kind, EVENT_END);
	config.has_wanted_ports = 1;
	config.generation++;
	play_state(0, TCP_ESTABLISHED, TCP_CLOSE);
	config.has_wanted_ports = 0;
	report_number("life", "the close is told whatever the filter is by then", last_event()->kind, EVENT_CLOSE);
	play_transfer(0, DIRECTION_OUT, -11);
	report_number("life", "a call that failed is nothing", host.record_count, 3);
#ifdef RUNG_B
	report("life", "a closed socket is forgotten", !socket_of(socket_at(0), false), "");
	play_message(0, DIRECTION_OUT);
	report_number("life", "and not remembered again", host.record_count, 3);
	socket_at(0)->__sk_common.skc_state = TCP_ESTABLISHED;
	play_message(0, DIRECTION_OUT);
	report("life", "its address is another socket's", last_event()->cookie != cookie, "");
	cookie = last_event()->cookie;
	socket_at(0)->__sk_common.skc_cookie.counter = 5;
	play_message(0, DIRECTION_OUT);
	report_number("life", "a cookie that comes later renames nothing", last_event()->cookie, cookie);
	play_state(0, TCP_SYN_RECV, TCP_ESTABLISHED);
	play_message(0, DIRECTION_OUT);
	report_number("life", "a birth at a named address does", last_event()->cookie, 5);
	socket_at(0)->__sk_common.skc_cookie.counter = 6;
	play_message(0, DIRECTION_OUT);
	report_number("life", "another cookie is another socket", last_event()->cookie, 6);
	host.is_table_full = true;
	play_message(1, DIRECTION_OUT);
	report_number("life", "a socket without room is counted", counted(NO_STORAGE), 1);
	report_number("life", "names that we gave are counted", counted(NAMED), 3);
	host.regs = (struct pt_regs){.orig_ax = SYS_READ};
	play_transfer(1000, DIRECTION_IN, 10);
	scene.inode.i_mode = 0100644;
	play_message(0, DIRECTION_IN);
	host.task.thread_info.status = TS_COMPAT;
	play_message(0, DIRECTION_IN);
	report_number("life", "what is no socket is nothing", host.record_count, 7);
#endif
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "overrun") == 0) {
		char *record = bpf_ringbuf_reserve(&events, sizeof(struct event), 0);
		((volatile char *)record)[sizeof(struct event)] = 1;
		free(record);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "overflow") == 0) {
		volatile int most = 0x7fffffff, sum = most + 1;
		return sum == most;
	}
	test_gather();
	test_gather_law();
	test_causes();
	test_verdicts();
	test_generation();
	test_pause();
	test_loss();
	test_sizes();
	test_budget();
	test_unix();
	test_life();
	host_reset();
	return 0;
}
