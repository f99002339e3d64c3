/** Preloaded into a measured process: prints its peak memory and its CPU time behind its own output. */
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stdout.write(`\npeak-rss-kb ${maxRSS}\ncpu-us ${userCPUTime + systemCPUTime}\n`);
});
