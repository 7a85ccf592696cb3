// Pages that do not exist.
import { expect, test } from '../fixtures.ts';

test.beforeEach(({ pageErrors }) => pageErrors.allow(/status of 404/));

test('a visitor goes back to the sign-in page', async ({ page }) => {
  await page.goto('/nowhere');
  await expect(page.getByRole('heading', { name: 'Not found' })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('Colloquy');
  await expect(page.getByRole('link', { name: 'Start a new chat' })).toBeHidden();
  await page.getByRole('link', { name: 'Back to sign-in' }).click();
  await expect(page).toHaveURL(/\/sign-(in|up)/);
});

test('a person starts a new chat', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await page.goto('/nowhere');
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
