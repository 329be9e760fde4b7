import type { JsonSchema } from '../plugin.ts';

export interface OpenidConnect {
  readonly client_id: string;
  readonly client_secret: string;
  readonly discovery: string;
  readonly realm: string;
  readonly bearer_only: boolean;
  readonly unauth_action: 'auth' | 'deny' | 'pass';
  /** Seconds. */
  readonly timeout: number;
  readonly ssl_verify: boolean;
  readonly use_jwks: boolean;
  readonly public_key?: string;
  readonly token_signing_alg_values_expected?: string | readonly string[];
  /** Seconds. */
  readonly iat_slack: number;
  /** Seconds. */
  readonly jwk_expires_in: number;
  readonly introspection_endpoint?: string;
  readonly introspection_endpoint_auth_method: 'client_secret_basic' | 'client_secret_post';
  readonly introspection_expiry_claim: string;
  /** Seconds; 0 for no bound but the token's own. */
  readonly introspection_interval: number;
  readonly introspection_addon_headers?: readonly string[];
  readonly required_scopes?: readonly string[];
  readonly claim_validator?: ClaimValidator;
  readonly claim_schema?: Readonly<Record<string, unknown>>;
  readonly set_access_token_header: boolean;
  readonly access_token_in_authorization_header: boolean;
  readonly set_userinfo_header: boolean;
}

export interface ClaimValidator {
  readonly issuer?: { readonly valid_issuers?: readonly string[] };
  readonly audience?: {
    readonly claim: string;
    readonly required: boolean;
    readonly match_with_client_id: boolean;
  };
}

/** Signed with a private key: who can verify a token cannot make one. Source: RFC 7518 §3.1. */
export const SIGNING_ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
];

const ALGORITHM = { type: 'string', enum: SIGNING_ALGORITHMS } as const;
const URL_TEXT = { type: 'string', pattern: '^https?://' } as const;
const FLAG = (isOn: boolean) => ({ type: 'boolean', default: isOn }) as const;
const SECONDS = (seconds: number, minimum: number, description: string) =>
  ({ type: 'integer', minimum, default: seconds, description: `s; ${description}` }) as const;

export const SETTINGS: JsonSchema = {
  type: 'object',
  properties: {
    client_id: { type: 'string' },
    client_secret: { type: 'string' },
    discovery: { ...URL_TEXT, description: "the provider's `.well-known/openid-configuration`" },
    realm: { type: 'string', default: 'apisix' },
    bearer_only: { ...FLAG(false), description: 'a request without a token is refused' },
    unauth_action: {
      type: 'string',
      enum: ['auth', 'deny', 'pass'],
      default: 'auth',
      description: 'without `bearer_only`, for a request without token: 401, or go on',
    },
    timeout: SECONDS(3, 1, 'for an answer of the provider'),
    ssl_verify: FLAG(true),
    use_jwks: { ...FLAG(false), description: 'tokens are verified with the keys of the provider' },
    public_key: { type: 'string', description: 'PEM; tokens are verified with this key' },
    token_signing_alg_values_expected: {
      oneOf: [ALGORITHM, { type: 'array', minItems: 1, items: ALGORITHM }],
    },
    iat_slack: SECONDS(120, 0, 'how far clocks may differ'),
    jwk_expires_in: SECONDS(86_400, 1, 'how long the keys of the provider are kept'),
    introspection_endpoint: {
      ...URL_TEXT,
      description: 'default: the one that discovery names',
    },
    introspection_endpoint_auth_method: {
      type: 'string',
      enum: ['client_secret_basic', 'client_secret_post'],
      default: 'client_secret_basic',
    },
    introspection_expiry_claim: { type: 'string', default: 'exp' },
    introspection_interval: SECONDS(0, 0, 'how long an answer is believed at most; 0: until exp'),
    introspection_addon_headers: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', pattern: '^[^:]+$' },
      description: "the client's headers that introspection gets",
    },
    required_scopes: { type: 'array', items: { type: 'string' } },
    claim_validator: {
      type: 'object',
      properties: {
        issuer: {
          type: 'object',
          properties: {
            valid_issuers: { type: 'array', minItems: 1, items: { type: 'string' } },
          },
        },
        audience: {
          type: 'object',
          properties: {
            claim: { type: 'string', default: 'aud' },
            required: FLAG(false),
            match_with_client_id: FLAG(false),
          },
        },
      },
    },
    claim_schema: { type: 'object', description: 'JSON Schema that the claims must satisfy' },
    set_access_token_header: FLAG(true),
    access_token_in_authorization_header: FLAG(false),
    set_userinfo_header: {
      ...FLAG(true),
      description: 'what introspection says, in base64, in X-Userinfo',
    },
  },
  required: ['client_id', 'client_secret', 'discovery'],
};
