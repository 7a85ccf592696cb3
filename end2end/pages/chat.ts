import { type Locator, type Page, expect } from '@playwright/test';
import { awake } from './account.ts';

/** A chat, or the page of a new one. */
export class ChatPage {
  readonly composer: Locator;
  readonly send: Locator;
  readonly stop: Locator;
  readonly retry: Locator;
  readonly continue: Locator;
  readonly picker: Locator;
  readonly jump: Locator;

  constructor(
    readonly page: Page,
    readonly hydrated: boolean,
  ) {
    this.composer = page.getByRole('textbox', { name: 'Message' });
    this.send = page.getByRole('button', { name: 'Send' });
    this.stop = page.getByRole('button', { name: 'Stop' });
    this.retry = page.getByRole('button', { name: 'Retry' });
    this.continue = page.getByRole('button', { name: 'Continue' });
    this.picker = page.getByLabel('Model');
    this.jump = page.getByRole('button', { name: 'Jump to latest' });
  }

  /** The messages of the model, oldest first. */
  get answers(): Locator {
    return this.page.locator('[data-author="assistant"]');
  }

  /** The messages of the person, oldest first. */
  get questions(): Locator {
    return this.page.locator('[data-author="user"]');
  }

  get answer(): Locator {
    return this.answers.last();
  }

  async openNew(): Promise<void> {
    await this.page.goto('/');
    await awake(this.page, this.hydrated);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(path);
    await awake(this.page, this.hydrated);
  }

  async ask(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.send.click();
    await expect(this.page).toHaveURL(/\/chats\/[0-9a-f-]{36}/);
    await awake(this.page, this.hydrated);
  }

  /** The path of the chat that is open. */
  get path(): string {
    return new URL(this.page.url()).pathname;
  }
}
