import type { Plugin } from '../plugins/plugin.ts';
import { createFieldSeal, type FieldSeal } from '../store/field-seal.ts';
import type { GatewayConfig } from './config.ts';

/** APISIX's own keyring: known to everyone, so that it hides secrets from the eye and no more. */
const PUBLISHED_KEYRING = ['qeddd145sfvddff3', 'edd1c9f0985e76a2'];

/** How secret fields are kept: `apisix.data_encryption`. Undefined: as they are given. */
export function fieldSealOf(
  {
    enable_encrypt_fields: isOn,
    keyring = PUBLISHED_KEYRING,
  }: GatewayConfig['apisix']['data_encryption'],
  plugins: readonly Plugin[],
): FieldSeal | undefined {
  if (!isOn || keyring === null) return undefined;
  const fields = new Map(plugins.map(({ name, secretFields }) => [name, secretFields]));
  return createFieldSeal({
    keyring: [keyring].flat(),
    secretFields: (name) => fields.get(name) ?? [],
  });
}
