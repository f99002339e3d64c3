/** Types of bundled-files.mjs, for vitest.config.ts and for what runs programs of other machines. */
export function bundledModule(path: string): string | undefined;
export function bundledProgram(path: string): string;
