/** Types of prepare.mjs, for the tests that build what they run. */
export function ensureInstalled(): void;
export function ensureBuilt(): void;
