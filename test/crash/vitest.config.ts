/** All points at which an executor can be killed: minutes to hours, so a lane of its own. */
import { defineConfig } from 'vitest/config';
import { bundledModule } from '../../scripts/bundled-files.mjs';

export default defineConfig({
  plugins: [{ name: 'bundled-files', load: (id) => bundledModule(id) }],
  test: {
    include: ['test/crash/**/*.crash.ts'],
    isolate: false,
    pool: 'threads',
    maxWorkers: 1,
    testTimeout: 24 * 3_600_000,
  },
});
