#!/usr/bin/env node
/** The executable: versions answer at once, everything else goes through the command tree. */
import { VERSION } from './version.ts';

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${VERSION}\n`);
} else {
  void runCommand();
}

async function runCommand(): Promise<void> {
  const { runApp } = await import('./app.ts');
  const { stdout, stderr, stdin, env } = process;
  process.exitCode = await runApp(args, { stdout, stderr, stdin, env });
}
