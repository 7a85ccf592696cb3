import { defineConfig, devices } from '@playwright/test';

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const onlyHydrated = '**/*.hydrate.spec.ts';
const onlyWithoutScripts = '**/*.nojs.spec.ts';
/** Tests that do not depend on the window size and take a minute, and pictures, of which a few are enough. */
const onlyDesktop = ['**/security.spec.ts', '**/look.hydrate.spec.ts'];

export default defineConfig({
  testDir: './tests',
  outputDir: './test-results',
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  retries: 0,
  workers: 2,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'playwright-report/report.json' }]],
  use: {
    ...devices['Desktop Chrome'],
    channel: undefined,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'desktop-hydrated', use: desktop, testIgnore: onlyWithoutScripts },
    { name: 'phone-hydrated', use: phone, testIgnore: [onlyWithoutScripts, ...onlyDesktop] },
    { name: 'desktop-nojs', use: { ...desktop, javaScriptEnabled: false }, testIgnore: onlyHydrated },
    { name: 'phone-nojs', use: { ...phone, javaScriptEnabled: false }, testIgnore: [onlyHydrated, ...onlyDesktop] },
  ],
});
