import { type Locator, type Page, expect } from '@playwright/test';
import { waitForHydration } from '../hydration.ts';

/** The page of a chat, or of a new chat. */
export class ChatPage {
  readonly composer: Locator;
  readonly send: Locator;
  readonly stop: Locator;
  readonly modelPicker: Locator;
  readonly jumpToLatest: Locator;

  constructor(
    readonly page: Page,
    readonly hydrated: boolean,
  ) {
    this.composer = page.getByRole('textbox', { name: 'Message', exact: true });
    this.send = page.getByRole('button', { name: 'Send' });
    this.stop = page.getByRole('button', { name: 'Stop answering' });
    this.modelPicker = hydrated ? page.getByRole('button', { name: /^Model/ }) : page.getByRole('combobox', { name: 'Model' });
    this.jumpToLatest = page.getByRole('button', { name: 'Jump to latest' });
  }

  /** The messages of the model, oldest first. */
  get answers(): Locator {
    return this.#messages('Answer');
  }

  /** The messages of the user, oldest first. */
  get questions(): Locator {
    return this.#messages('You');
  }

  #messages(heading: string): Locator {
    return this.page.getByRole('article').filter({ has: this.page.getByRole('heading', { name: heading, exact: true, level: 2 }) });
  }

  get retry(): Locator {
    return this.answer.getByRole('button', { name: 'Retry', exact: true });
  }

  get continue(): Locator {
    return this.answer.getByRole('button', { name: 'Continue' });
  }

  /** The button that shows the version of a message before or after the shown one. */
  version(message: Locator, which: 'previous' | 'next'): Locator {
    return message.getByRole('button', { name: new RegExp(`^Version \\d+ of \\d+, ${which} version$`) });
  }

  /** The field in the place of the message that is edited. */
  get editor(): Locator {
    return this.page.getByRole('textbox', { name: 'Edit message' });
  }

  /** Opens the field for a question of the user. */
  async edit(question: Locator): Promise<void> {
    await question.getByRole('link', { name: 'Edit', exact: true }).click();
    await waitForHydration(this.page, this.hydrated);
    await expect(this.editor).toBeVisible();
  }

  /** Opens the menu of a message. */
  async openMore(message: Locator): Promise<void> {
    await message.hover();
    await message.getByLabel('More', { exact: true }).click();
  }

  get answer(): Locator {
    return this.answers.last();
  }

  async openNew(): Promise<void> {
    await this.page.goto('/');
    await waitForHydration(this.page, this.hydrated);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(path);
    await waitForHydration(this.page, this.hydrated);
  }

  async ask(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.send.click();
    await expect(this.page).toHaveURL(/\/chats\/[0-9a-f-]{36}/);
    await waitForHydration(this.page, this.hydrated);
  }

  /** Asks what the scripted model repeats, and waits for the whole answer. */
  async exchange(text: string): Promise<void> {
    await this.ask(text);
    await expect(this.answer).toContainText(`You said: ${text}`);
    await expect(this.send).toBeVisible();
  }

  /** The models in the open picker. */
  get models(): Locator {
    return this.page.getByRole('listbox', { name: 'Model' }).getByRole('option');
  }

  model(name: string): Locator {
    return this.models.filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** Opens the model picker. On phones it is only there while the composer has the focus. */
  async openModels(): Promise<void> {
    await this.composer.focus();
    await this.modelPicker.click();
    await expect(this.models.first()).toBeVisible();
  }

  async pickModel(model: string): Promise<void> {
    if (!this.hydrated) {
      await this.composer.focus();
      await this.modelPicker.selectOption({ label: model });
      return;
    }
    await this.openModels();
    await this.model(model).click();
    await expect(this.modelPicker).toContainText(model);
  }

  /** Stops the answer. The button takes no clicks right after it has appeared in the place of "Send". */
  async stopAnswer(): Promise<void> {
    if (this.hydrated) await this.page.waitForTimeout(450);
    await this.stop.click();
  }

  /** Scrolls the transcript. Negative values scroll up. */
  async scrollBy(pixels: number): Promise<void> {
    await this.page.locator('.scroller').evaluate((scroller, by) => scroller.scrollBy(0, by), pixels);
  }

  /** The first paragraph below the top third of the screen: its text and its distance from the top in pixels. */
  async middleParagraph(): Promise<{ text: string; top: number }> {
    return this.page.evaluate(() => {
      const paragraphs = [...document.querySelectorAll('.scroller p[dir]')];
      const tops = paragraphs.map((p) => ({ text: p.textContent ?? '', top: p.getBoundingClientRect().top }));
      return tops.find(({ top }) => top > innerHeight / 3) ?? { text: 'nothing', top: 0 };
    });
  }

  /** The distance of the paragraph with this text from the top of the screen. */
  async paragraphTop(text: string): Promise<number> {
    return this.page.evaluate((wanted) => {
      const found = [...document.querySelectorAll('.scroller p[dir]')].find((p) => p.textContent === wanted);
      return found?.getBoundingClientRect().top ?? Number.NaN;
    }, text);
  }

  /** The path of the open chat. */
  get path(): string {
    return new URL(this.page.url()).pathname;
  }
}
