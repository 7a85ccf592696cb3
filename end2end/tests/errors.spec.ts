// Pages that do not exist.
import { expect, test } from '../fixtures.ts';
import { waitForHydration } from '../hydration.ts';
import { seedChats } from '../seed.ts';

test.beforeEach(({ pageErrors }) => pageErrors.allow(/status of 4(04|10)/));

test('a visitor goes back to the sign-in page', async ({ page }) => {
  await page.goto('/nowhere');
  await expect(page.getByRole('heading', { name: 'Not found' })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('Colloquy');
  await expect(page.getByRole('link', { name: 'Start a new chat' })).toBeHidden();
  await page.getByRole('link', { name: 'Back to sign-in' }).click();
  await expect(page).toHaveURL(/\/sign-(in|up)/);
});

test('a person starts a new chat', async ({ chat, person, page, hydrated, isMobile }) => {
  expect(person.email).toBeTruthy();
  await page.goto('/nowhere/at/all');
  await waitForHydration(page, hydrated);
  await expect(page.getByRole('complementary', { name: 'Sidebar' })).toHaveCount(isMobile ? 0 : 1);
  await expect(page.getByRole('link', { name: 'Back to sign-in' })).toBeHidden();
  await page.getByRole('link', { name: 'Start a new chat' }).click();
  await expect(chat.composer).toBeVisible();
});

test('a chat that does not exist is missing inside the frame', async ({ person, page, isMobile }) => {
  expect(person.email).toBeTruthy();
  await page.goto('/chats/0190e2a4-7b1c-7def-8123-456789abcdef');
  await expect(page.getByRole('heading', { name: 'Not found' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Start a new chat' })).toBeVisible();
  await expect(page.getByRole('complementary', { name: 'Sidebar' })).toHaveCount(isMobile ? 0 : 1);
});

test('a deleted chat can be restored on its page', async ({ chat, person, page, colloquy, expectAccessible }) => {
  const [path = ''] = seedChats(colloquy, person.email, [{ title: 'Long', messages: 4 }]);
  const deleted = await page.context().request.post('/api/change_chats', {
    form: { 'chats[]': path.split('/').pop() ?? '', action: 'delete' },
    headers: { accept: 'application/json', origin: new URL(page.url()).origin, 'sec-fetch-site': 'same-origin' },
  });
  expect(deleted.status()).toBe(200);
  await chat.open(path);
  await expect(page.getByRole('heading', { level: 1, name: 'This chat was deleted' })).toBeVisible();
  // The header of a phone without scripts has another one.
  await expect(page.getByRole('main').getByText('All chats', { exact: true })).toBeVisible();
  await expectAccessible();
  await page.getByRole('main').getByRole('button', { name: 'Undo' }).click();
  await expect(chat.composer).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`${path}$`));
  await expect(chat.questions).toHaveCount(2);
});
