/**
 * The report in a real browser: no request, no error, readable in light and dark, usable by keyboard
 * and by a screen reader (axe). Takes Debian's Chromium, which it installs where it may; where there
 * is none it says so and skips.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt } from './prepare.mjs';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const browserPath = findChromium();
if (browserPath === undefined) {
  console.log('SKIPPED: no Chromium here, and none could be installed (needs root and apt-get).');
} else {
  ensureBuilt();
  await checkReport(browserPath);
}

function findChromium() {
  const found = CHROMIUM.find((path) => existsSync(path));
  if (found !== undefined || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    return found;
  const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update'], options);
  spawnSync(
    'apt-get',
    ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'],
    options,
  );
  return CHROMIUM.find((path) => existsSync(path));
}

async function checkReport(executablePath) {
  const { chromium } = await import('playwright-core');
  const folder = mkdtempSync(join(tmpdir(), 'regauge-report-'));
  const report = join(folder, 'report.html');
  const made = spawnSync(process.execPath, ['dist/regauge.js', 'incident', '--report', report], {
    encoding: 'utf8',
  });
  if (made.status !== 0)
    throw new Error(`regauge incident ended with ${made.status}: ${made.stderr}`);
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  const problems = [];
  try {
    for (const colorScheme of ['light', 'dark']) {
      problems.push(...(await problemsIn(browser, report, colorScheme)));
    }
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
  for (const problem of problems) console.log(`FAILED: ${problem}`);
  console.log(`${2 - Math.min(problems.length, 2)} passed, ${problems.length} failed`);
  if (problems.length > 0) process.exitCode = 1;
}

async function problemsIn(browser, report, colorScheme) {
  const problems = [];
  // The page's own policy forbids scripts; the checker's script has to get past it.
  const context = await browser.newContext({
    colorScheme,
    bypassCSP: true,
    viewport: { width: 1280, height: 900 },
  });
  const page = await context.newPage();
  page.on('request', (request) => {
    if (!request.url().startsWith('file:'))
      problems.push(`${colorScheme}: requests ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${colorScheme}: console says ${message.text()}`);
  });
  await page.goto(pathToFileURL(report).href);
  await page.keyboard.press('Tab');
  const first = await page.evaluate(() => document.activeElement?.textContent);
  if (first !== 'Skip to the result')
    problems.push(`${colorScheme}: the first stop by keyboard is ${first}`);
  const folded = page.locator('details').first();
  await folded.locator('summary').focus();
  await page.keyboard.press('Enter');
  if ((await folded.getAttribute('open')) === null)
    problems.push(`${colorScheme}: details do not open by keyboard`);
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core') });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  for (const { id, help, nodes } of violations) {
    problems.push(`${colorScheme}: ${id}: ${help} (${nodes.length}): ${nodes[0].target.join(' ')}`);
  }
  await context.close();
  return problems;
}
