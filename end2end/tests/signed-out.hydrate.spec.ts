// What an open page says when its sign-in has ended elsewhere.
import { type Page } from '@playwright/test';
import { expect, test } from '../fixtures.ts';

/** Ends the sign-in of this browser, past the page. */
async function signOut(page: Page): Promise<void> {
  const answer = await page.context().request.post('/api/sign_out', {
    form: {},
    headers: { accept: 'application/json', origin: new URL(page.url()).origin, 'sec-fetch-site': 'same-origin' },
  });
  expect(answer.status()).toBe(200);
}

test.beforeEach(({ watch }) => watch.expect(/Failed to load resource/, /401/));

test('signed out: an answer under way stops asking and leads back here', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask(`gate signed-out-${person.email}`);
  await expect(chat.stop).toBeVisible();
  const path = chat.path;
  await signOut(page);
  const notice = page.getByRole('alert').filter({ hasText: 'Please sign in again.' });
  await expect(notice).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText('Reconnecting')).toHaveCount(0);
  await expect(notice.getByRole('link', { name: 'Sign in' })).toHaveAttribute('href', `/sign-in?next=${encodeURIComponent(path)}`);

  // Nothing is asked for by itself any more, for twice as long as the longest pause between two tries.
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.waitForTimeout(10_000);
  await expect(notice).toBeVisible();
  expect(asked).toEqual([]);

  await notice.getByRole('link', { name: 'Sign in' }).click();
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(new RegExp(`${path}$`));
});

test('signed out: what is done in an open page says so and loses nothing', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('Hello');
  await expect(chat.answer).toContainText('You said: Hello');
  await signOut(page);
  await chat.composer.fill('not lost');
  await chat.send.click();
  await expect(page.getByRole('alert').filter({ hasText: 'Please sign in again.' })).toBeVisible();
  await expect(page.getByText('Please sign in again.')).toHaveCount(1);
  await expect(chat.composer).toHaveValue('not lost');
});
