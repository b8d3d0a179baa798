import { defineConfig } from 'vitest/config';

/** What needs real programs (udev, cloud-init, a kernel): one at a time, with patience. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
