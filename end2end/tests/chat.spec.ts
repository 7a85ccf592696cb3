import { type Browser, type BrowserContext, type Page } from '@playwright/test';
import { type PageErrors, expect, test } from '../fixtures.ts';
import { ChatPage } from '../pages/chat.ts';

/** Another browser with the same cookies and a phone's screen. */
async function otherDevice(browser: Browser, context: BrowserContext, pageErrors: PageErrors, baseURL: string, hydrated: boolean): Promise<{ page: Page; done: () => Promise<void> }> {
  const other = await browser.newContext({
    baseURL,
    storageState: await context.storageState(),
    javaScriptEnabled: hydrated,
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await pageErrors.observe(other);
  return { page: await other.newPage(), done: () => other.close() };
}

test('ask, read, reload, find the chat in the list, continue on the phone', async ({ chat, sessions, person, page, browser, context, pageErrors, hydrated, colloquy, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('How long is a week?');
  await expect(chat.questions.last()).toContainText('How long is a week?');
  await expect(chat.answer).toContainText('You said: How long is a week? (quick)');
  await expect(chat.send).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('How long is a week?');
  await expectAccessible();

  await page.reload();
  await expect(chat.answer).toContainText('You said: How long is a week? (quick)');

  const path = chat.path;
  await sessions.open();
  await expect(sessions.row('How long is a week?')).toBeVisible();
  await sessions.row('How long is a week?').getByRole('link').first().click();
  await expect(page).toHaveURL(new RegExp(`${path}$`));

  const phone = await otherDevice(browser, context, pageErrors, colloquy.url, hydrated);
  const onPhone = new ChatPage(phone.page, hydrated);
  await onPhone.open(path);
  await expect(onPhone.answer).toContainText('You said: How long is a week?');
  await onPhone.ask('And a month?');
  await expect(onPhone.answer).toContainText('You said: And a month?');
  await phone.done();

  await chat.open(path);
  await expect(chat.answers).toHaveCount(2);
  await expect(chat.answer).toContainText('And a month?');
});

test('an answer is rendered as Markdown', async ({ chat, person, page, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('markdown please');
  const answer = chat.answer;
  await expect(answer.getByRole('link', { name: 'link' })).toHaveAttribute('href', 'https://example.org/page');
  await expect(answer.getByRole('table')).toBeVisible();
  await expect(answer.getByRole('columnheader')).toHaveText(['Model', 'Speed', 'Size']);
  const tasks = answer.getByRole('listitem').getByRole('checkbox');
  await expect(tasks).toHaveCount(2);
  await expect(tasks.first()).toBeChecked();
  await expect(answer.locator('pre code')).toContainText('let answer = 6 * 7;');
  await expect(answer.locator('pre code span').first()).toBeAttached();
  await expect(answer.getByText('rust', { exact: true })).toBeVisible();
  await expect(answer.locator('math')).toHaveCount(2);
  await expect(answer.locator('math msup').first()).toBeAttached();
  await expectAccessible();
  await page.reload();
  await expect(answer.locator('math')).toHaveCount(2);
});

test('a provider error is shown, and Retry sends the request again', async ({ chat, person, expectAccessible }) => {
  await chat.ask(`fail 500 ${person.email}`);
  await expect(chat.answer).toContainText('The provider had an error');
  await expectAccessible();
  await chat.retry.click();
  await expect(chat.answer).toContainText('This time it went well.');
  await expect(chat.answers).toHaveCount(1);
});

test('an error of a busy provider is shown', async ({ chat, person }) => {
  await chat.ask(`fail 429 always ${person.email}`);
  await expect(chat.answer).toContainText('The provider is busy');
  await expect(chat.retry).toBeVisible();
});

test('the text before a broken connection is kept, and Continue resumes from it', async ({ chat, person, page }) => {
  await chat.ask(`cut ${person.email}`);
  await expect(chat.answer).toContainText('The connection was lost');
  await expect(chat.answer).toContainText('The answer begins, and th');
  await page.reload();
  await expect(chat.answer).toContainText('The answer begins, and th');
  await chat.continue.click();
  await expect(chat.answer).toContainText('The answer goes on to its end.');
  await expect(chat.answer).toContainText('The answer begins, and th');
});

test('Stop keeps the text so far', async ({ chat, person, page }) => {
  await chat.ask(`gate stop-${person.email}`);
  await expect(chat.answer).toContainText('The first half');
  await chat.stopAnswer();
  await expect(chat.answer).toContainText(/stopped/i);
  await expect(chat.answer).toContainText('The first half');
  await expect(chat.send).toBeVisible();
  await page.reload();
  await expect(chat.answer).toContainText(/stopped/i);
});

test('a chat uses the picked model', async ({ chat, person }) => {
  expect(person.email).toBeTruthy();
  await chat.pickModel('careful');
  await chat.ask('Who are you?');
  await expect(chat.answer).toContainText('You said: Who are you? (careful)');
  await chat.ask('And now?');
  await expect(chat.answer).toContainText('You said: And now? (careful)');
});
