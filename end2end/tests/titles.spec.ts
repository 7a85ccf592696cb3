// Titles that the model writes.
import { expect, test } from '../fixtures.ts';

test.use({ serverSettings: { COLLOQUY_TITLES: 'model' } });

test('a chat gets a title from the model after its first answer', async ({ chat, person, page, hydrated }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('Bread with little yeast');
  const title = page.getByRole('heading', { level: 1 });
  if (hydrated) {
    await expect(title).toContainText('The title of Bread', { timeout: 15_000 });
  } else {
    await expect(async () => {
      await page.reload();
      await expect(title).toContainText('The title of Bread', { timeout: 500 });
    }).toPass({ timeout: 15_000 });
  }
  await expect(page).toHaveTitle(/^The title of Bread/);
  await expect(chat.answer).toContainText('You said: Bread');
});
