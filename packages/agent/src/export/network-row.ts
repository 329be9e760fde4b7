import { SESSION_BOTH, SIGNAL_SOURCE_PACKET, TRANSPORT_TCP } from '@thalweg/model';
import type { NetworkSpan, WireView } from '../network/network-span.ts';
import { inDirection, type Turn } from '../network/turn.ts';
import { wireId } from '../trace/wire-id.ts';
import {
  type ConnectionSinks,
  type ExchangeSinks,
  L7_PROTOCOLS,
  type RowContext,
  wallMicros,
  writeMessages,
  writeOthers,
} from './row.ts';

const NONE: readonly never[] = [];

/** What all rows of a connection at one interface have in common. */
export function writeView(
  to: ConnectionSinks,
  view: WireView,
  place: { readonly agent: string; readonly host: string },
): void {
  to.flow_id.pushNumber(view.flowId);
  to.signal_source.push(SIGNAL_SOURCE_PACKET);
  to.agent.push(place.agent);
  to.observation_point.push(view.point);
  to.host.push(place.host);
  to.container_id.push('');
  to.netns.push(view.netns);
  to.capture_nic_name.push(view.interfaceName);
  to.vlan.push(view.vlan);
  to.ip_0.push(view.clientIp);
  to.ip_1.push(view.serverIp);
  to.client_port.push(view.clientPort);
  to.server_port.push(view.serverPort);
  to.protocol.push(TRANSPORT_TCP);
  to.l7_protocol.push(view.protocol === undefined ? 0 : L7_PROTOCOLS[view.protocol]);
  to.app_service.push('');
  to.app_instance.push('');
  to.process_id_0.push(0);
  to.process_id_1.push(0);
  to.process_kname_0.push('');
  to.process_kname_1.push('');
  writeOthers(to);
}

/** What is of one request alone. Its messages are what a process told of them, if one did. */
export function writeNetworkSpan(
  to: ExchangeSinks,
  { request, response, exchange }: NetworkSpan,
  context: RowContext,
): void {
  const startUs = wallMicros(request.firstNs, context);
  const endUs = wallMicros(response.lastNs, context);
  const requestSequence = exchange?.request?.sequence ?? request.sequence;
  const responseSequence = exchange?.response?.sequence ?? response.sequence;

  to._id.pushHalves(context.idLow, context.idHigh);
  to.time.push(Math.floor(endUs / 1e6));
  to.start_time.push(startUs);
  to.end_time.push(endUs);
  to.type.push(SESSION_BOTH);
  to.req_tcp_seq.push(requestSequence);
  to.resp_tcp_seq.push(responseSequence);
  writeMessages(to, exchange, context);
  to.syscall_trace_id_request.pushNumber(0);
  to.syscall_trace_id_response.pushNumber(0);
  to.syscall_thread_0.push(0);
  to.syscall_thread_1.push(0);
  to.attribute_names.push(NONE);
  to.attribute_values.push(NONE);
  to.events.push('');
  to.links.push('');
  to.captured_request_byte.push(request.bytes);
  to.captured_response_byte.push(response.bytes);
  to.response_duration.pushNumber(Math.max(0, endUs - startUs));
  const asks = request.direction;
  const answers = response.direction;
  to.retrans_tx.push(sum(request, response, (turn) => inDirection(turn.retransmissions, asks)));
  to.retrans_rx.push(sum(request, response, (turn) => inDirection(turn.retransmissions, answers)));
  to.zero_win_tx.push(sum(request, response, (turn) => inDirection(turn.zeroWindows, asks)));
  to.zero_win_rx.push(sum(request, response, (turn) => inDirection(turn.zeroWindows, answers)));
  to.is_lossy.push(0);
  to.wire_id.push(wireId(requestSequence, responseSequence));
  to.parent_wire_id.push(0n);
  to.link_probability.push(0);
  to.link_evidence.push(0);
  to.candidate_wire_ids.push(NONE);
  to.candidate_probabilities.push(NONE);
}

function sum(one: Turn, other: Turn, countOf: (turn: Turn) => number): number {
  return countOf(one) + countOf(other);
}
