// Visits a page several times with an empty cache, and prints the medians as one line of JSON:
// {bytes, wasm_bytes, fcp_ms, hydrated_ms, requests, kinds}. Called by `make bench`.
//
//   BASE_URL  the origin of Colloquy        VISIT    the page's path; default: /
//   COOKIE    name=value; name=value        VISITS   the number of visits; default: 5
import { chromium } from '@playwright/test';

const base = process.env.BASE_URL ?? 'http://127.0.0.1:3000';
const path = process.env.VISIT ?? '/';
const visits = Number(process.env.VISITS ?? 5);
const cookies = (process.env.COOKIE ?? '')
  .split('; ')
  .filter((pair) => pair.includes('='))
  .map((pair) => ({ name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1), url: base }));

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/**
 * Runs in the page before its own scripts: records when `data-hydrated` is set.
 * It observes `document`, because the root element does not exist yet.
 */
function watchHydration() {
  const observer = new MutationObserver(() => {
    if (!document.documentElement?.hasAttribute('data-hydrated')) return;
    performance.mark('hydrated');
    observer.disconnect();
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-hydrated'] });
}

/** @param {import('@playwright/test').Browser} browser */
async function visit(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
  await context.addCookies(cookies);
  await context.addInitScript(watchHydration);
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  /** @type {Map<string, string>} */
  const kinds = new Map();
  /** @type {Set<string>} */
  const wasm = new Set();
  /** @type {Record<string, number>} */
  const byKind = {};
  let bytes = 0;
  let wasmBytes = 0;
  let lastRequest = Date.now();
  network.on('Network.requestWillBeSent', () => (lastRequest = Date.now()));
  let requests = 0;
  network.on('Network.responseReceived', ({ requestId, type, response }) => {
    kinds.set(requestId, type);
    if (new URL(response.url).pathname.endsWith('.wasm')) wasm.add(requestId);
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId) ?? 'Other';
    byKind[kind] = (byKind[kind] ?? 0) + encodedDataLength;
    bytes += encodedDataLength;
    if (wasm.has(requestId)) wasmBytes += encodedDataLength;
    requests += 1;
  });
  const answer = await page.goto(base + path, { waitUntil: 'load', timeout: 20_000 });
  if (!answer?.ok() || new URL(page.url()).pathname !== path) {
    throw new Error(`${path} answered ${answer?.status()} and redirected to ${page.url()}`);
  }
  // Visitors who are not signed in get the scripts at their first interaction.
  if (cookies.length > 0) {
    await page.waitForFunction(() => performance.getEntriesByName('hydrated').length > 0, undefined, { timeout: 20_000 });
  }
  // The paint is reported a little later, and requests of the hydration are part of the visit.
  await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0, undefined, { timeout: 20_000 });
  // Everything that the page requests without the user counts, even after a while.
  while (Date.now() - lastRequest < 4_000) await page.waitForTimeout(100);
  const [painted, hydrated] = await page.evaluate(() =>
    ['first-contentful-paint', 'hydrated'].map((name) => performance.getEntriesByName(name)[0]?.startTime ?? 0),
  );
  await context.close();
  const sizes = Object.entries(byKind).map(([kind, size]) => `${kind.toLowerCase()} ${(size / 1000).toFixed(1)} KB`);
  return { bytes, wasmBytes, requests, painted: painted ?? 0, hydrated: hydrated ?? 0, kinds: sizes.join(', ') };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  // The same as in playwright.config.ts.
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  // The first visit does not count: it also starts the browser's own processes.
  await visit(browser);
  const all = [];
  for (let count = 0; count < visits; count++) all.push(await visit(browser));
  const found = {
    bytes: median(all.map((one) => one.bytes)),
    wasm_bytes: median(all.map((one) => one.wasmBytes)),
    fcp_ms: median(all.map((one) => one.painted)),
    hydrated_ms: median(all.map((one) => one.hydrated)),
    requests: median(all.map((one) => one.requests)),
    kinds: all.at(-1)?.kinds ?? '',
  };
  console.log(JSON.stringify(found));
} finally {
  await browser.close();
}
