import { CLAIMS } from '../core/health/claims.ts';
import { FIXED_WINDOW } from '../plugins/fixed-window.ts';
import { CIRCUITS } from '../plugins/traffic/circuit-book.ts';
import { LEAKY_BUCKET } from '../plugins/traffic/leaky-bucket.ts';
import { PLACES } from '../plugins/traffic/places.ts';

/** All state that several processes share, so that the first one can make it for the others. */
export const COMMON_KINDS = [CLAIMS, FIXED_WINDOW, CIRCUITS, LEAKY_BUCKET, PLACES] as const;
