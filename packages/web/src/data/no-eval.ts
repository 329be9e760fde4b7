import { z } from 'zod';

// Imported before any schema is made: zod's compiled checks try `eval` at that moment, which the
// page's Content-Security-Policy refuses and the console reports.
z.config({ jitless: true });
