/** `npm run test:real`: the lane for real software (test/real/README.md). */
import { ensureInstalled } from './prepare.mjs';

ensureInstalled();
const { register } = await import('tsx/esm/api');
register();
await import('../test/real/main.ts');
