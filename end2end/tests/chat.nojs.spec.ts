import { expect, test } from '../fixtures.ts';

test('the page refreshes itself while an answer is generated', async ({ chat, person, colloquy, page }) => {
  const gate = `refresh-${person.email}`;
  await chat.ask(`gate ${gate}`);
  await expect(chat.answer).toContainText('The first half');
  await expect(page.locator('meta[http-equiv="refresh"]')).toBeAttached();
  colloquy.upstream.release(gate);
  await expect(chat.answer).toContainText('The second half');
  await expect(page.locator('meta[http-equiv="refresh"]')).not.toBeAttached();
});

test('a message that is submitted twice is stored once', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('once');
  await expect(chat.answer).toContainText('You said: once');
  await page.goBack();
  await chat.composer.fill('once');
  await chat.send.click();
  await expect(page).toHaveURL(/\/chats\//);
  await expect(chat.questions).toHaveCount(1);
});
