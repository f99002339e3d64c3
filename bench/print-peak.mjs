/** Preloaded into a measured process: prints its peak memory behind its own output. */
process.on('exit', () => {
  process.stdout.write(`\npeak-rss-kb ${process.resourceUsage().maxRSS}\n`);
});
