/* Unix-domain streams: which are looked at, and that both ends count alike. */
#pragma once

static struct unix_address bound = {.name = {{.sun_path = "/run/a-folder/that/is/rather/long/fpm.sock"}}};

/* Sockets 0 and 1 become the client and the server of a unix stream. */
static void unix_pair(bool is_named)
{
	scene_reset();
	for (int i = 0; i < 2; i++) {
		struct unix_sock *one = (struct unix_sock *)socket_at(i);
		memset(one, 0, sizeof(*one));
		one->sk.sk_type = SOCK_STREAM;
		one->sk.__sk_common.skc_family = AF_UNIX;
		one->sk.__sk_common.skc_state = TCP_ESTABLISHED;
		one->sk.__sk_common.skc_net.net = &scene.net;
		one->peer = socket_at(1 - i);
		bound.len = sizeof(unsigned short) + strlen(bound.name[0].sun_path) + 1;
		one->addr = is_named && i == 1 ? &bound : 0;
	}
}

static void test_unix(void)
{
	unix_pair(true);
	play_message(0, DIRECTION_OUT);
#ifdef RUNG_B
	report_number("unix", "is not seen on this rung", host.record_count, 0);
#else
	__u32 sent = last_event()->sequence;
	report_number("unix", "who is not bound calls", last_event()->role, ROLE_CLIENT);
	report_number("unix", "says what it is", last_event()->ip_version, IP_VERSION_UNIX);
	report("unix", "the end of a long path is kept",
	       strcmp((char *)last_event()->local_address, "er/that/is/rather/long/fpm.sock") == 0,
	       (char *)last_event()->local_address);
	play_message(1, DIRECTION_IN);
	report_number("unix", "who is bound serves", last_event()->role, ROLE_SERVER);
	report_number("unix", "both ends count alike", last_event()->sequence, sent);
	play_message(1, DIRECTION_OUT);
	sent = last_event()->sequence;
	play_message(0, DIRECTION_IN);
	report_number("unix", "also the answer", last_event()->sequence, sent);
	config.generation++;
	play_message(1, DIRECTION_IN);
	play_message(0, DIRECTION_OUT);
	sent = last_event()->sequence;
	play_message(1, DIRECTION_IN);
	report_number("unix", "also when first seen by its reader", last_event()->sequence, sent);
	unix_pair(false);
	play_message(0, DIRECTION_OUT);
	report_number("unix", "a pair without a name is not looked at", host.record_count, 0);
	unix_pair(true);
	config.has_wanted_ports = 1;
	play_message(0, DIRECTION_OUT);
	report_number("unix", "nor is a path when only ports are wanted", counted(FILTERED), 1);
	unix_pair(true);
	((struct unix_sock *)socket_at(0))->sk.sk_type = SOCK_STREAM + 1;
	play_message(0, DIRECTION_OUT);
	report_number("unix", "nor are datagrams", host.record_count, 0);
#endif
}
