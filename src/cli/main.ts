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
  const { stdout, stderr, env } = process;
  // Should nothing be left to wait for before there is an answer, that is no success.
  process.exitCode = 1;
  process.exitCode = await runApp(args, {
    stdout,
    stderr,
    // Node takes a millisecond to open it, and few commands read it.
    get stdin() {
      return process.stdin;
    },
    env,
    entry: process.argv[1],
    onLoaded: () => setInterruptBudget(LATE),
    onLongRun: () => setInterruptBudget(USUAL),
  });
}

/** Bytes of bytecode that run in a function until V8 thinks of optimising it. */
const LATE = 1_000_000;
const USUAL = 66 * 1024;

/**
 * Most commands are over before code that V8 optimises has paid for being optimised: at the budget
 * of Node 20 (66 KiB of bytecode run in a function) that is a third of what a small rehearsal
 * takes. Later Nodes have a compiler between, and no such flag. Not before the bundles are loaded:
 * V8 takes compiled code of equal flags only.
 */
function setInterruptBudget(bytes: number): void {
  if (!process.version.startsWith('v20.')) return;
  process.getBuiltinModule('node:v8').setFlagsFromString(`--interrupt-budget=${bytes}`);
}
