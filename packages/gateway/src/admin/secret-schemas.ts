import { LOG_URI } from '../plugins/logging/log-uri.ts';
import type { JsonSchema } from '../plugins/plugin.ts';
import { METADATA } from './object-metadata.ts';

const TEXT = { type: 'string' } as const;

/** Of secret objects, by manager. Source: ../shared/reference/apisix.md §1.2. */
export const SECRET_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  vault: {
    type: 'object',
    properties: { ...METADATA, uri: LOG_URI, prefix: TEXT, token: TEXT, namespace: TEXT },
    required: ['uri', 'prefix', 'token'],
  },
  aws: {
    type: 'object',
    properties: {
      ...METADATA,
      access_key_id: TEXT,
      secret_access_key: TEXT,
      session_token: TEXT,
      region: { type: 'string', default: 'us-east-1' },
      endpoint_url: LOG_URI,
    },
    required: ['access_key_id', 'secret_access_key'],
  },
  gcp: {
    type: 'object',
    properties: {
      ...METADATA,
      auth_config: {
        type: 'object',
        properties: { client_email: TEXT, private_key: TEXT, project_id: TEXT },
        required: ['client_email', 'private_key', 'project_id'],
      },
      auth_file: TEXT,
      ssl_verify: { type: 'boolean', default: true },
    },
    oneOf: [{ required: ['auth_config'] }, { required: ['auth_file'] }],
  },
};
