// The page of a new chat.
import { expect, test } from '../fixtures.ts';
import { seedChats } from '../seed.ts';

test('a new chat greets by the first name and shows recent chats only where there is no sidebar', async ({ chat, person, colloquy, page }) => {
  const greeting = page.getByRole('heading', { level: 1 });
  await expect(greeting).toHaveText(/^Good (morning|afternoon|evening), Ada$/);
  const titles = ['One', 'Two', 'Three', 'Four'];
  seedChats(colloquy, person.email, titles.map((title) => ({ title, messages: 2 })));
  await chat.openNew();
  const recent = page.getByRole('main').getByRole('listitem').getByRole('link');
  await expect(recent).toHaveCount((page.viewportSize()?.width ?? 0) < 1024 ? 3 : 0);
});

test('starters put the beginning of a message into the field, until there are three chats', async ({ chat, person, colloquy, page, hydrated }) => {
  const starters = page.getByRole('group', { name: 'Ideas' }).getByRole('button');
  if (!hydrated) {
    await expect(starters).toHaveCount(0);
    return;
  }
  await expect(starters).toHaveCount(4);
  await starters.filter({ hasText: 'Explain something' }).click();
  await expect(chat.composer).toBeFocused();
  await expect(chat.composer).toHaveValue('Explain in simple words: ');
  await page.keyboard.type('tides');
  await expect(chat.composer).toHaveValue('Explain in simple words: tides');
  await expect(chat.send).toBeEnabled();
  await expect(starters).toHaveCount(0);
  await chat.composer.fill('');
  await expect(starters).toHaveCount(4);

  seedChats(colloquy, person.email, ['One', 'Two', 'Three'].map((title) => ({ title, messages: 2 })));
  await chat.openNew();
  await expect(chat.composer).toBeVisible();
  await expect(page.getByRole('group', { name: 'Ideas' })).toHaveCount(0);
});
