/** Types of bundled-files.mjs, for vitest.config.ts. */
export function bundledModule(path: string): string | undefined;
