/** Contract suites against real software: run by the lane, which starts what they need. */
import { defineConfig } from 'vitest/config';
import { bundledModule } from '../../scripts/bundled-files.mjs';

export default defineConfig({
  plugins: [{ name: 'bundled-files', load: (id) => bundledModule(id) }],
  test: {
    include: ['test/real/**/*.test.ts'],
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
    testTimeout: 120_000,
  },
});
