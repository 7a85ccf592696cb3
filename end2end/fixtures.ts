// The `test` of all journeys: a server of the worker's own, people with accounts, and a watch over each page.
import AxeBuilder from '@axe-core/playwright';
import { type BrowserContext, type Page, test as base, expect } from '@playwright/test';
import { Colloquy } from './colloquy.ts';
import { Mailbox } from './mailbox.ts';
import { AccountPages } from './pages/account.ts';
import { ChatPage } from './pages/chat.ts';
import { SessionsPage } from './pages/sessions.ts';
import { SettingsPage } from './pages/settings.ts';
import { type Person, somebody } from './person.ts';
import { IdentityProvider } from './provider.ts';

export { expect };

/** What a page must not do, collected while it lives. */
export class Watch {
  readonly faults: string[] = [];
  #expected: RegExp[] = [];

  constructor(readonly origin: () => string) {}

  /** Faults that a test causes on purpose. */
  expect(...patterns: RegExp[]): void {
    this.#expected.push(...patterns);
  }

  async follow(context: BrowserContext): Promise<void> {
    // Content-security-policy violations are told on the console too; this also catches those of styles and images.
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
    });
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#note(`console ${message.type()}: ${message.text()}`);
    });
    context.on('weberror', (error) => this.#note(`page error: ${error.error().stack ?? error.error().message}`));
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.origin !== this.origin()) this.#note(`request to a foreign host: ${request.url()}`);
    });
  }

  #note(fault: string): void {
    this.faults.push(fault);
  }

  check(): void {
    const unexpected = this.faults.filter((fault) => !this.#expected.some((pattern) => pattern.test(fault)));
    expect(unexpected, 'what the pages complained about').toEqual([]);
  }
}

interface WorkerFixtures {
  shared: Colloquy;
}

interface Fixtures {
  /** The server of this test: the worker's, unless the file says `test.use({ own: {} })`. */
  colloquy: Colloquy;
  /** Settings of a server of the test's own, where it needs one. */
  own: Record<string, string> | undefined;
  /** What the test's own server works with: `test.use({ beside: ['mailbox'] })`. */
  beside: ('mailbox' | 'provider')[];
  /** Where its mails go. */
  mailbox: Mailbox;
  /** Where people can sign in besides. */
  provider: IdentityProvider;
  watch: Watch;
  accounts: AccountPages;
  chat: ChatPage;
  sessions: SessionsPage;
  settings: SettingsPage;
  /** Somebody who has just signed up, in `page`. */
  person: Person;
  /** Whether scripts run in the browser. */
  hydrated: boolean;
  /** axe, on the page as it stands. */
  accessible: (page?: Page) => Promise<void>;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  shared: [
    async ({}, use) => {
      const colloquy = await Colloquy.start();
      await use(colloquy);
      await colloquy.discard();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  own: [undefined, { option: true }],
  beside: [[], { option: true }],
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
  colloquy: async ({ shared, own, beside, mailbox, provider }, use, info) => {
    const log = (colloquy: Colloquy) =>
      info.status === info.expectedStatus ? undefined : info.attach('server.log', { body: colloquy.log, contentType: 'text/plain' });
    if (!own && beside.length === 0) {
      await use(shared);
      await log(shared);
      return;
    }
    const colloquy = await Colloquy.start({
      ...(beside.includes('mailbox') && { COLLOQUY_MAIL_SMTP_URL: mailbox.url, COLLOQUY_MAIL_FROM: 'Colloquy <chat@example.org>' }),
      ...(beside.includes('provider') && provider.settings),
      ...own,
    });
    provider.serve(colloquy.url);
    await use(colloquy);
    await log(colloquy);
    await colloquy.discard();
  },
  baseURL: async ({ colloquy }, use) => use(colloquy.url),
  hydrated: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),
  watch: async ({ colloquy, hydrated }, use) => {
    const watch = new Watch(() => colloquy.url);
    if (!hydrated) watch.expect(/preloaded using link preload but not used/);
    await use(watch);
    watch.check();
  },
  context: async ({ context, watch }, use) => {
    await watch.follow(context);
    await use(context);
  },
  accounts: async ({ page, hydrated }, use) => use(new AccountPages(page, hydrated)),
  chat: async ({ page, hydrated }, use) => use(new ChatPage(page, hydrated)),
  sessions: async ({ page, hydrated }, use) => use(new SessionsPage(page, hydrated)),
  settings: async ({ page, hydrated }, use) => use(new SettingsPage(page, hydrated)),
  person: async ({ accounts }, use) => {
    const person = somebody();
    await accounts.signUp(person);
    await use(person);
  },
  accessible: async ({ page, hydrated }, use) => {
    await use(async (other = page) => {
      // axe is a script, and waits for timers that never come where scripts are off.
      if (!hydrated) return;
      const { violations } = await new AxeBuilder({ page: other })
        // Without a second page for the results, which would be one more thing that can be slow.
        .setLegacyMode(true)
        .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
        .analyze();
      expect(violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => node.html) }))).toEqual([]);
    });
  },
});

/** Nothing on the page is wider than the screen. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(content, 'width of the content').toBeLessThanOrEqual(screen);
}
