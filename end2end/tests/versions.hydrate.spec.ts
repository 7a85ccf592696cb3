import { expect, test } from '../fixtures.ts';
import { ChatPage } from '../pages/chat.ts';

test('a version is shown without a page load, in the place of the one before, and the focus stays', async ({ chat, person, page }) => {
  await chat.ask(`fail 500 ${person.email}`);
  await expect(chat.answer).toContainText('The provider had an error');
  await chat.retry.click();
  await expect(chat.answer).toContainText('This time it went well.');
  for (const n of [1, 2]) {
    await chat.ask(`echo ${Array.from({ length: 30 }, (_, i) => `- item ${n} ${i}`).join('\n')}`);
    await expect(chat.answer).toContainText(`item ${n} 29`);
    await expect(chat.send).toBeVisible();
  }
  await page.evaluate(() => Object.assign(window, { kept: true }));
  const first = chat.answers.first();
  const top = async () => (await first.boundingBox())!.y;
  await chat.scrollBy(-100_000);
  const before = await top();
  await chat.version(first, 'previous').click();
  await expect(chat.answers).toHaveCount(1);
  await expect(page.getByText('Version 1 of 2', { exact: true })).toBeAttached();
  await expect(chat.version(first, 'next')).toBeFocused();
  expect(Math.abs((await top()) - before)).toBeLessThan(3);
  await page.keyboard.press('Enter');
  await expect(chat.answers).toHaveCount(3);
  await expect(chat.version(first, 'previous')).toBeFocused();
  await expect.poll(async () => Math.abs((await top()) - before)).toBeLessThan(3);
  expect(await page.evaluate(() => 'kept' in window)).toBe(true);
});

test('another tab shows the chosen version too', async ({ chat, person, context }) => {
  await chat.ask(`fail 500 ${person.email}`);
  await expect(chat.answer).toContainText('The provider had an error');
  await chat.retry.click();
  await expect(chat.answer).toContainText('This time it went well.');
  await expect(chat.send).toBeVisible();
  const other = new ChatPage(await context.newPage(), true);
  await other.open(chat.path);
  await expect(other.answer).toContainText('This time it went well.');
  await chat.version(chat.answer, 'previous').click();
  await expect(other.answer).toContainText('The provider had an error');
  await expect(other.answer).toContainText('1 / 2');
});

test('the arrow up edits the last question; Escape leaves it, Ctrl+Enter saves it', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.exchange('one');
  await chat.composer.fill('draft');
  await chat.composer.press('ArrowUp');
  await expect(chat.editor).toHaveCount(0);
  await chat.composer.fill('');
  await chat.composer.press('ArrowUp');
  await expect(chat.editor).toBeFocused();
  await chat.editor.fill('changed');
  await chat.editor.press('Escape');
  await expect(chat.editor).toHaveCount(0);
  await expect(chat.questions.last()).toContainText('one');
  await expect(chat.questions.last().getByRole('link', { name: 'Edit' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(chat.editor).toHaveValue('one');
  await chat.editor.fill('two');
  await chat.editor.press('Enter');
  await page.keyboard.type('lines');
  await expect(chat.editor).toHaveValue('two\nlines');
  await chat.editor.press('Control+Enter');
  await expect(chat.answer).toContainText('You said: two');
  await expect(chat.questions.last()).toContainText('2 / 2');
  await expect(page).not.toHaveURL(/edit=/);
});

test('a question cannot be edited while an answer is written', async ({ chat, person, colloquy }) => {
  const gate = `edit-${person.email}`;
  await chat.ask(`gate ${gate}`);
  await expect(chat.answer).toContainText('The first half');
  await expect(chat.questions.last().getByRole('link', { name: 'Edit' })).toBeHidden();
  await chat.composer.press('ArrowUp');
  await expect(chat.editor).toHaveCount(0);
  colloquy.upstream.release(gate);
  await expect(chat.answer).toContainText('The second half');
  await expect(chat.questions.last().getByRole('link', { name: 'Edit' })).toBeVisible();
});
