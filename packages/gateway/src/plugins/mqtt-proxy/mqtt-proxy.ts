import { firstOctetsOf } from '../../stream/first-octets.ts';
import { definePlugin } from '../plugin.ts';
import { decodeConnect } from './connect-packet.ts';

interface MqttProxy {
  readonly protocol_name: string;
  readonly protocol_level: number;
}

/** Lets MQTT clients of one version to their servers, by client id where `chash` says so. */
export const mqttProxy = definePlugin<MqttProxy>({
  name: 'mqtt-proxy',
  priority: 1000,
  subsystems: ['stream'],
  summary: 'Lets MQTT clients of one version through a stream route, and knows their client id.',
  example: { protocol_name: 'MQTT', protocol_level: 4 },
  notes: [
    'Only for stream routes over TCP. `mqtt_client_id` is a variable for `chash`; without a client id the address stands for it.',
    'A client that sends something else first, or nothing, is sent away.',
  ],
  schema: {
    type: 'object',
    properties: {
      protocol_name: { type: 'string', default: 'MQTT' },
      protocol_level: { type: 'integer', description: '4 for MQTT 3.1.1, 5 for 5.0' },
    },
    required: ['protocol_level'],
  },
  create({ protocol_name, protocol_level }) {
    return {
      async access(context) {
        const packet = await firstOctetsOf(context)?.((bytes) => {
          const found = decodeConnect(bytes);
          return found === 'need-more' ? undefined : found;
        });
        const isWanted =
          typeof packet === 'object' &&
          packet.protocolName === protocol_name &&
          packet.protocolLevel === protocol_level;
        if (!isWanted) return { status: 400 };
        if (packet.clientId !== '') context.setVariable('mqtt_client_id', packet.clientId);
        return undefined;
      },
    };
  },
});
