import { expect, test } from '../fixtures.ts';
import { ChatPage } from '../pages/chat.ts';
import { seedChats } from '../seed.ts';

test('a reload during a stream shows the text so far and continues', async ({ chat, person, colloquy, page }) => {
  const gate = `reload-${person.email}`;
  await chat.ask(`gate ${gate}`);
  await expect(chat.answer).toContainText('The first half');
  await page.reload();
  await expect(chat.answer).toContainText('The first half');
  colloquy.upstream.release(gate);
  await expect(chat.answer).toContainText('The second half');
  await expect(chat.stop).toHaveCount(0);
  await expect(chat.answers).toHaveCount(1);
});

test('two tabs of one chat show the same stream', async ({ chat, person, colloquy, context }) => {
  const gate = `tabs-${person.email}`;
  await chat.ask(`gate ${gate}`);
  await expect(chat.answer).toContainText('The first half');
  const other = new ChatPage(await context.newPage(), true);
  await other.open(chat.path);
  await expect(other.answer).toContainText('The first half');
  colloquy.upstream.release(gate);
  await expect(other.answer).toContainText('The second half');
  await expect(chat.answer).toContainText('The second half');
  expect(await other.answer.innerText()).toBe(await chat.answer.innerText());
});

test('a second tab shows messages sent in the first, without a reload', async ({ chat, person, context }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('first');
  await expect(chat.answer).toContainText('You said: first');
  const other = new ChatPage(await context.newPage(), true);
  await other.open(chat.path);
  await expect(other.answer).toContainText('You said: first');
  await chat.ask('second');
  await expect(other.questions).toHaveCount(2);
  await expect(other.answer).toContainText('You said: second');
  await expect(other.send).toBeVisible();
});

test('closing the page does not stop the answer', async ({ chat, person, colloquy, page, context }) => {
  const gate = `close-${person.email}`;
  await chat.ask(`gate ${gate}`);
  await expect(chat.answer).toContainText('The first half');
  const path = chat.path;
  await page.close();
  colloquy.upstream.release(gate);
  const later = new ChatPage(await context.newPage(), true);
  await later.open(path);
  await expect(later.answer).toContainText('The second half');
});

test('Enter sends and Shift+Enter inserts a line break; on touch screens Enter inserts a line break', async ({ chat, person, page, isMobile }) => {
  expect(person.email).toBeTruthy();
  await chat.composer.fill('one');
  await chat.composer.press('Shift+Enter');
  await page.keyboard.type('two');
  await expect(chat.composer).toHaveValue('one\ntwo');
  await chat.composer.press('Enter');
  if (isMobile) {
    await expect(chat.composer).toHaveValue('one\ntwo\n');
    await chat.send.click();
  }
  await expect(page).toHaveURL(/\/chats\//);
  await expect(chat.questions.last()).toContainText('one');
  await expect(chat.questions.last()).toContainText('two');
});

test('with the preference for line breaks, Enter inserts one and Ctrl+Enter sends', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await page.evaluate(() => document.documentElement.setAttribute('data-enter', 'newline'));
  await chat.composer.fill('one');
  await chat.composer.press('Enter');
  await page.keyboard.type('two');
  await expect(chat.composer).toHaveValue('one\ntwo');
  await chat.composer.press('Control+Enter');
  await expect(page).toHaveURL(/\/chats\//);
  await expect(chat.questions.last()).toContainText('two');
});

test('a second click on Send does not stop the answer', async ({ chat, person, colloquy, page }) => {
  await chat.ask('first');
  await expect(chat.answer).toContainText('You said: first');
  const gates = [`double-${person.email}`, `twice-${person.email}`];
  await expect(chat.send).toBeVisible();
  await chat.composer.fill(`gate ${gates[0]}`);
  await chat.send.dblclick();
  await expect(chat.answer).toContainText('The first half');
  colloquy.upstream.release(gates[0]!);
  await expect(chat.answer).toContainText('The second half');

  // Two clicks that the system does not take for a double click.
  await expect(chat.send).toBeVisible();
  await chat.composer.fill(`gate ${gates[1]}`);
  await page.evaluate(() => {
    new MutationObserver((_, observer) => {
      const stop = document.querySelector('.send-stop');
      if (!stop) return;
      observer.disconnect();
      stop.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, detail: 1 }));
    }).observe(document.body, { childList: true, subtree: true });
  });
  await chat.send.click();
  await expect(chat.answer).toContainText('The first half');
  colloquy.upstream.release(gates[1]!);
  await expect(chat.answer).toContainText(`The second half of ${gates[1]}`);
});

test('the composer is empty after sending, and keeps text typed during the answer', async ({ chat, person, colloquy }) => {
  const gate = `typing-${person.email}`;
  await chat.ask('first');
  await expect(chat.answer).toContainText('You said: first');
  await chat.composer.fill(`gate ${gate}`);
  await chat.send.click();
  await expect(chat.answer).toContainText('The first half');
  await expect(chat.composer).toHaveValue('');
  await chat.composer.fill('my next question');
  colloquy.upstream.release(gate);
  await expect(chat.answer).toContainText('The second half');
  await expect(chat.composer).toHaveValue('my next question');
});

test('code and the whole answer are copied as source text', async ({ chat, person, context, page }) => {
  expect(person.email).toBeTruthy();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await chat.ask('markdown please');
  await expect(chat.answer.locator('math')).toHaveCount(2);
  await expect(chat.stop).toHaveCount(0);
  await chat.answer.locator('pre').locator('..').getByRole('button', { name: /copy/i }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('let answer = 6 * 7;');
  await chat.answer.getByRole('button', { name: 'Copy', exact: true }).last().click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('| Model | Speed | Size |');
});

test('scrolling up stops following the end of the answer', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('paragraphs 600');
  await chat.jumpToLatest.click();
  await expect(chat.jumpToLatest).toBeHidden();
  await expect(chat.answer).toContainText('Paragraph 60 ');
  await chat.scrollBy(-1500);
  await expect(chat.jumpToLatest).toBeVisible();
  const { text, top } = await chat.middleParagraph();
  await expect(chat.answer).toContainText('Paragraph 600 ', { timeout: 20_000 });
  expect(Math.abs((await chat.paragraphTop(text)) - top), 'movement of the text being read').toBeLessThan(4);
  await chat.jumpToLatest.click();
  await expect(chat.jumpToLatest).toBeHidden();
  await expect(page.getByText('Paragraph 600 ')).toBeInViewport();
});

test('a long chat opens at its end, and scrolling up loads older messages', async ({ chat, person, colloquy, page }) => {
  const [path] = seedChats(colloquy, person.email, [{ title: 'A long chat', messages: 400 }]);
  await chat.open(path ?? '');
  await expect(page.getByText('Message 400 of 400.')).toBeInViewport();
  await expect(page.getByText('Message 300 of 400.')).toHaveCount(0);
  await expect(async () => {
    await chat.scrollBy(-4_000);
    await expect(page.getByText('Message 300 of 400.')).toHaveCount(1, { timeout: 200 });
  }).toPass({ intervals: [50] });
  // Each time at the top, the page before is loaded, and the text that is read stays where it is.
  await expect(async () => {
    await chat.scrollBy(-100_000);
    await expect(page.getByText('Message 1 of 400.')).toHaveCount(1, { timeout: 200 });
  }).toPass({ intervals: [50], timeout: 30_000 });
  await expect(page.getByText(/^Message \d+ of 400\.$/)).toHaveCount(400);
  const overflow = await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight);
  expect(overflow, 'only the transcript scrolls').toBe(0);
});

test.describe('a server that stops', () => {
  test.use({ serverSettings: {} });

  test('the composer keeps its text when sending fails', async ({ chat, person, colloquy, pageErrors, page }) => {
    pageErrors.allow(/ERR_CONNECTION|Failed to fetch|net::|EventSource/);
    await chat.ask(`hello from ${person.name}`);
    await expect(chat.answer).toContainText('You said: hello');
    await colloquy.stop();
    await chat.composer.fill('a text that took me long');
    await chat.send.click();
    await expect(page.getByText(/can't reach the server/i).first()).toBeVisible();
    await expect(chat.composer).toHaveValue('a text that took me long');
    await colloquy.launch();
    // The page notices by itself.
    await expect(page.getByText(/can't reach the server/i).filter({ visible: true })).toHaveCount(0);
    await expect(chat.composer).toHaveValue('a text that took me long');
    await chat.send.click();
    await expect(chat.answer).toContainText('You said: a text that took me long');
    await expect(chat.questions).toHaveCount(2);
  });

  test('a stream reconnects after a restart of the server', async ({ chat, person, colloquy, pageErrors, page }) => {
    pageErrors.allow(/ERR_|Failed to fetch|net::|EventSource|status of 5/);
    await chat.ask(`gate again-${person.email}`);
    await expect(chat.answer).toContainText('The first half');
    // Text older than a second is stored and survives SIGKILL.
    await page.waitForTimeout(1_200);
    await colloquy.stop('SIGKILL');
    await colloquy.launch();
    await expect(chat.answer).toContainText(/server restarted/i, { timeout: 40_000 });
    await expect(chat.answer).toContainText('The first half');
    await chat.continue.click();
    await expect(chat.answer).toContainText('The second half');
  });
});
