// The `test` function of all browser tests: one server per worker, accounts, and a check for errors on each page.
import { randomInt } from 'node:crypto';
import AxeBuilder from '@axe-core/playwright';
import { type BrowserContext, type Page, test as base, expect } from '@playwright/test';
import { Colloquy } from './colloquy.ts';
import { Mailbox } from './mailbox.ts';
import { AccountPages } from './pages/account.ts';
import { ChatPage } from './pages/chat.ts';
import { SessionsPage } from './pages/sessions.ts';
import { SettingsPage } from './pages/settings.ts';
import { type Person, newPerson } from './person.ts';
import { IdentityProvider } from './provider.ts';

export { expect };

/** Collects errors of the pages: console errors, exceptions, policy violations, requests to other hosts. */
export class PageErrors {
  readonly errors: string[] = [];
  #allowed: RegExp[] = [];

  constructor(readonly origin: () => string) {}

  /** Allows errors that a test causes on purpose. */
  allow(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  async observe(context: BrowserContext): Promise<void> {
    // The console also reports violations of the content security policy, but not all of styles and images.
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
    });
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#record(`console ${message.type()}: ${message.text()}`);
    });
    context.on('weberror', (error) => this.#record(`page error: ${error.error().stack ?? error.error().message}`));
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.origin !== this.origin()) this.#record(`request to a foreign host: ${request.url()}`);
    });
  }

  #record(error: string): void {
    this.errors.push(error);
  }

  check(): void {
    const unexpected = this.errors.filter((error) => !this.#allowed.some((pattern) => pattern.test(error)));
    expect(unexpected, 'errors of the pages').toEqual([]);
  }
}

interface WorkerFixtures {
  sharedColloquy: Colloquy;
}

interface Fixtures {
  /** The server of this test: the worker's, unless the file has `test.use({ serverSettings: {} })`. */
  colloquy: Colloquy;
  /** Settings for a separate server, if the test needs one. */
  serverSettings: Record<string, string> | undefined;
  /** The services that the separate server uses: `test.use({ services: ['mailbox'] })`. */
  services: ('mailbox' | 'provider')[];
  /** The mail server. */
  mailbox: Mailbox;
  /** The identity provider. */
  provider: IdentityProvider;
  pageErrors: PageErrors;
  accounts: AccountPages;
  chat: ChatPage;
  sessions: SessionsPage;
  settings: SettingsPage;
  /** A user who has just signed up; `page` shows the new chat. */
  person: Person;
  /** Whether the browser runs scripts. */
  hydrated: boolean;
  /** Checks the current page with axe. */
  expectAccessible: (page?: Page) => Promise<void>;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  sharedColloquy: [
    async ({}, use) => {
      const colloquy = await Colloquy.start();
      await use(colloquy);
      await colloquy.dispose();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  serverSettings: [undefined, { option: true }],
  services: [[], { option: true }],
  mailbox: async ({}, use) => {
    const mailbox = await Mailbox.start();
    await use(mailbox);
    await mailbox.close();
  },
  provider: async ({}, use) => {
    const provider = await IdentityProvider.start();
    await use(provider);
    await provider.close();
  },
  colloquy: async ({ sharedColloquy, serverSettings, services, mailbox, provider }, use, info) => {
    const log = (colloquy: Colloquy) =>
      info.status === info.expectedStatus ? undefined : info.attach('server.log', { body: colloquy.log, contentType: 'text/plain' });
    if (!serverSettings && services.length === 0) {
      await use(sharedColloquy);
      await log(sharedColloquy);
      return;
    }
    const colloquy = await Colloquy.start({
      ...(services.includes('mailbox') && { COLLOQUY_MAIL_SMTP_URL: mailbox.url, COLLOQUY_MAIL_FROM: 'Colloquy <chat@example.org>' }),
      ...(services.includes('provider') && provider.settings),
      ...serverSettings,
    });
    provider.registerClient(colloquy.url);
    await use(colloquy);
    await log(colloquy);
    await colloquy.dispose();
  },
  // Each test has an address of its own, because sign-ups and the like are limited by address. The addresses are among those
  // that are reserved for tests (RFC 2544).
  extraHTTPHeaders: async ({}, use) => use({ 'X-Forwarded-For': `198.18.${randomInt(256)}.${randomInt(256)}` }),
  baseURL: async ({ colloquy }, use) => use(colloquy.url),
  hydrated: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),
  pageErrors: async ({ colloquy, hydrated }, use) => {
    const pageErrors = new PageErrors(() => colloquy.url);
    if (!hydrated) pageErrors.allow(/preloaded using link preload but not used/);
    await use(pageErrors);
    pageErrors.check();
  },
  context: async ({ context, pageErrors }, use) => {
    await pageErrors.observe(context);
    await use(context);
  },
  accounts: async ({ page, hydrated }, use) => use(new AccountPages(page, hydrated)),
  chat: async ({ page, hydrated }, use) => use(new ChatPage(page, hydrated)),
  sessions: async ({ page, hydrated }, use) => use(new SessionsPage(page, hydrated)),
  settings: async ({ page, hydrated }, use) => use(new SettingsPage(page, hydrated)),
  person: async ({ accounts, locale }, use) => {
    const person = newPerson();
    await accounts.signUpByRequest(person, locale);
    await use(person);
  },
  expectAccessible: async ({ page, hydrated }, use) => {
    await use(async (other = page) => {
      // axe is a script: without scripts it would wait for timers that never fire.
      if (!hydrated) return;
      const { violations } = await new AxeBuilder({ page: other })
        // Without a second page for the results, which can be slow.
        .setLegacyMode(true)
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
        .analyze();
      expect(violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => node.html) }))).toEqual([]);
    });
  },
});

/** Checks that nothing on the page is wider than the screen. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(content, 'width of the content').toBeLessThanOrEqual(screen);
}
