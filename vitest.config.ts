import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/real/**', 'node_modules/**'],
    isolate: false,
    pool: 'threads',
    testTimeout: 60_000,
  },
});
