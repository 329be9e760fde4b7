import { createTextCache, createTextDecoder, type DecodeText } from '@thalweg/wire';

/** Names and short values repeat: they are decoded once. One cache for all senders, bounded. */
export const decodeText: DecodeText = createTextCache(createTextDecoder());
